/**
 * Keeps BSON documents one after another in a file: the documents of the feed, which are read again if they differ from
 * the stored ones, and the stored documents that a run replaces. It is synchronous, like everything in the mirror
 * thread that waits only for a local disk.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const writeBuffer = 1024 * 1024;
/** How much is read at once: `readWindow` when reading goes forward, `nearby` after a jump. */
const readWindow = 256 * 1024;
const nearby = 4096;

export class DocumentFile {
  readonly #fd: number;
  readonly #buffer: Buffer = Buffer.allocUnsafe(writeBuffer);
  #buffered = 0;
  /** How many bytes are in the file. */
  #written = 0;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w+', 0o600);
  }

  get size(): number {
    return this.#written + this.#buffered;
  }

  /** Adds the document in `bytes` from `start` to `end`, and returns its position in the file. */
  append(bytes: Uint8Array, start: number, end: number): number {
    const at = this.size;
    const length = end - start;
    if (length > writeBuffer - this.#buffered) this.flush();
    if (length > writeBuffer) {
      this.#write(bytes, start, end);
    } else {
      this.#buffer.set(bytes.subarray(start, end), this.#buffered);
      this.#buffered += length;
    }
    return at;
  }

  flush(): void {
    this.#write(this.#buffer, 0, this.#buffered);
    this.#buffered = 0;
  }

  /** Returns the document at `at`, valid until the next call of any method. Forward reads read ahead. */
  read(at: number, length: number): Buffer {
    if (at >= this.#written) return this.#buffer.subarray(at - this.#written, at - this.#written + length);
    if (at < this.#windowAt || at + length > this.#windowAt + this.#window.length) this.#load(at, length);
    return this.#window.subarray(at - this.#windowAt, at - this.#windowAt + length);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #load(at: number, length: number): void {
    const behind = at - (this.#windowAt + this.#window.length);
    const ahead = behind >= 0 && behind < nearby ? readWindow : nearby;
    const size = Math.min(Math.max(length, ahead), this.#written - at);
    const window = Buffer.allocUnsafe(size);
    let filled = 0;
    while (filled < size) {
      const count = readSync(this.#fd, window, filled, size - filled, at + filled);
      if (count === 0) throw new Error('The prepared feed is shorter than it was: has something removed its files?');
      filled += count;
    }
    this.#window = window;
    this.#windowAt = at;
  }

  #write(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end;) {
      const count = writeSync(this.#fd, bytes, at, end - at, this.#written);
      at += count;
      this.#written += count;
    }
  }
}
