/**
 * Writes the app's stdout and stderr into the pipes that the primary reads, without losing the end.
 *
 * Node writes to a full pipe later, from memory, and loses what is in memory when the process exits or throws. Here too
 * a write never waits for a full pipe, except at the exit.
 */
import { writeSync } from 'node:fs';

/** How soon a full pipe is tried again, ms. */
const retryAfter = 5;
/** How long an exit waits for a primary that reads nothing, ms. */
const patience = 2_000;

type Chunk = Buffer | string;
type Done = (error?: Error | null) => void;

/** Call this before any code of the app is loaded. */
export function writeStdioToTheEnd(): void {
  for (const [fd, stream] of [
    [1, process.stdout],
    [2, process.stderr],
  ] as const) {
    // Only a pipe: a file or a terminal is written at once anyway.
    if ((stream as { _type?: string })._type === 'pipe') new PipeWriter(fd, stream);
  }
  process.on('exit', writeOut);
}

/** Call before the process ends, in whatever way: from now on a write waits for a full pipe. */
export function writeOut(): void {
  for (const writer of writers) writer.end();
}

const writers: PipeWriter[] = [];

class PipeWriter {
  readonly #fd: number;
  #rest: Buffer = Buffer.alloc(0);
  #done: Done | null = null;
  #timer: NodeJS.Timeout | undefined;
  #exiting = false;
  #deadline = Infinity;

  constructor(fd: number, stream: NodeJS.WriteStream) {
    this.#fd = fd;
    // The stream keeps the order and the queue; it passes the next chunk here.
    stream._write = (chunk: Chunk, encoding: BufferEncoding, done: Done) => this.#begin(bytes(chunk, encoding), done);
    stream._writev = (chunks: { chunk: Chunk; encoding: BufferEncoding }[], done: Done) =>
      this.#begin(Buffer.concat(chunks.map(({ chunk, encoding }) => bytes(chunk, encoding))), done);
    writers.push(this);
  }

  /** Writes what is left, and waits for the pipe to take it. */
  end(): void {
    this.#exiting = true;
    this.#deadline = performance.now() + patience;
    if (this.#done) this.#write();
  }

  #begin(rest: Buffer, done: Done): void {
    this.#rest = rest;
    this.#done = done;
    this.#write();
  }

  #write(): void {
    clearTimeout(this.#timer);
    try {
      while (this.#rest.length > 0) {
        const written = this.#writeSome();
        this.#rest = this.#rest.subarray(written);
        if (written === 0 && !this.#exiting) {
          this.#timer = setTimeout(() => this.#write(), retryAfter);
          return;
        }
        if (written === 0) {
          if (performance.now() > this.#deadline) break;
          Atomics.wait(sleeper, 0, 0, 1);
        }
      }
    } catch {
      this.#rest = Buffer.alloc(0); // the primary is gone, so the pipe has no reader
    }
    const done = this.#done;
    this.#done = null;
    done?.();
  }

  /** How many bytes the pipe took; 0 if it is full. */
  #writeSome(): number {
    try {
      return writeSync(this.#fd, this.#rest);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      throw error;
    }
  }
}

function bytes(chunk: Chunk, encoding: BufferEncoding): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
