/**
 * The feed's documents as BSON, one behind the other in a file: written once while the feed is read, then read back
 * where a document differs. Synchronous, as everything in the mirror thread that only waits for a local disk.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const writeBuffer = 1024 * 1024;
/** Read at once where reading goes forward, and where it jumps. */
const readWindow = 256 * 1024;
const nearby = 4096;

export class PreparedFile {
  readonly #fd: number;
  readonly #buffer: Buffer = Buffer.allocUnsafe(writeBuffer);
  #buffered = 0;
  /** How much of the file has been written. */
  #written = 0;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w+', 0o600);
  }

  get size(): number {
    return this.#written + this.#buffered;
  }

  /** Returns where the document begins. */
  append(bytes: Buffer, length: number): number {
    const at = this.size;
    if (length > writeBuffer - this.#buffered) this.flush();
    if (length > writeBuffer) {
      this.#write(bytes, length);
    } else {
      bytes.copy(this.#buffer, this.#buffered, 0, length);
      this.#buffered += length;
    }
    return at;
  }

  flush(): void {
    this.#write(this.#buffer, this.#buffered);
    this.#buffered = 0;
  }

  /** The document at `at`; valid until the next call of any method. Reading forward reads ahead. */
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

  #write(bytes: Buffer, length: number): void {
    for (let done = 0; done < length;) done += writeSync(this.#fd, bytes, done, length - done, this.#written + done);
    this.#written += length;
  }
}
