/** Cuts the output of a worker into lines. The pipes are always read: a worker that writes to a full pipe blocks. */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export type OutputStream = 'stdout' | 'stderr';
/** `isCut`: the line is longer than {@link longestLine}, and goes on with the next call. */
export type LineListener = (stream: OutputStream, line: string, isCut: boolean) => void;

/** Characters. A longer line is cut, so that a worker that never ends a line does not fill the primary's memory. */
export const longestLine = 64 * 1024;
const tailLines = 10;

export class WorkerOutput {
  readonly #onLine: LineListener;
  readonly #tail: string[] = [];
  #all = false;

  constructor(streams: Record<OutputStream, Readable | null>, onLine: LineListener) {
    this.#onLine = onLine;
    this.#read('stdout', streams.stdout);
    this.#read('stderr', streams.stderr);
  }

  /** From now on any line may be the reason of the end; earlier lines are not. */
  listen(): void {
    this.#tail.length = 0;
    this.#all = true;
  }

  /** The last lines on stderr (after `listen`, on stdout too): the reason of the end, if the worker printed one. */
  get lastWords(): string {
    return this.#tail.join('\n');
  }

  #read(name: OutputStream, stream: Readable | null): void {
    if (stream === null) return;
    const decoder = new StringDecoder('utf8');
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#line(name, line.endsWith('\r') ? line.slice(0, -1) : line);
      for (; rest.length > longestLine; rest = rest.slice(longestLine))
        this.#line(name, rest.slice(0, longestLine), true);
    });
    // `close` too: a killed process may leave an unfinished line, and a failed stream has no `end`.
    const flush = (): void => {
      const last = rest + decoder.end();
      rest = '';
      if (last !== '') this.#line(name, last);
    };
    stream
      .once('end', flush)
      .once('close', flush)
      .on('error', () => {});
  }

  #line(name: OutputStream, line: string, isCut = false): void {
    if ((this.#all || name === 'stderr') && line.trim() !== '') {
      this.#tail.push(line);
      if (this.#tail.length > tailLines) this.#tail.shift();
    }
    this.#onLine(name, line, isCut);
  }
}
