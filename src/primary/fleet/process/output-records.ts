/**
 * Makes log records from the lines of one worker. A stack is one record, at level error; any other line on stderr is a
 * record at level warn, and one on stdout at level info.
 *
 * These lines belong to the line before them: an indented line, a closing bracket (the members of an error), and what
 * Node writes before the stack of an uncaught error (`file:///app.js:3`, the line of code, `^`, a blank line). A line
 * on stderr therefore waits a moment for the next one.
 */
import type { Logger } from 'pino';
import type { WorkerRef } from '../../ports.ts';
import type { OutputStream } from './worker-output.ts';

export interface OutputRecord {
  readonly stream: OutputStream;
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
  /** The line was too long: it goes on with the next record. */
  readonly isCut: boolean;
}

/** How long a line waits for the next one, ms: an error is written at once. */
const patience = 50;
/** The longest record, in characters: an app may print only indented lines. */
const longestRecord = 64 * 1024;
/** The most lines between the place of an uncaught error and its stack. */
const longestPreamble = 8;

const isFrame = (line: string): boolean => /^\s+at /.test(line);
const goesOn = (line: string): boolean => /^\s+\S/.test(line) || line === '}' || line === ']';
/** The place of an uncaught error, as Node prints it. */
const isPlace = (line: string): boolean => /^(?:file:\/\/)?\/.*:\d+$/.test(line);

/** The level is fixed: the output of a worker is logged whatever the level of the supervisor's own lines. */
export function recordsIn(log: Logger, ref: WorkerRef): OutputRecords {
  const output = log.child(ref, { level: 'info' });
  return new OutputRecords(({ stream, level, text, isCut }) =>
    output[level]({ stream, ...(isCut ? { cut: true } : {}) }, text),
  );
}

export class OutputRecords {
  readonly #write: (record: OutputRecord) => void;
  #lines: string[] = [];
  #length = 0;
  #isStack = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(write: (record: OutputRecord) => void) {
    this.#write = write;
  }

  add(stream: OutputStream, text: string, isCut: boolean): void {
    if (stream === 'stdout' || isCut) {
      this.flush();
      return this.#write({ stream, level: stream === 'stdout' ? 'info' : 'warn', text, isCut });
    }
    if (!this.#belongs(text)) this.flush();
    this.#lines.push(text);
    this.#length += text.length;
    this.#isStack ||= isFrame(text);
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.flush(), patience);
  }

  /** Writes the waiting lines: no more lines belong to them. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#lines.length === 0) return;
    const text = this.#lines.join('\n');
    const level = this.#isStack ? 'error' : 'warn';
    this.#lines = [];
    this.#length = 0;
    this.#isStack = false;
    this.#write({ stream: 'stderr', level, text, isCut: false });
  }

  #belongs(line: string): boolean {
    if (this.#lines.length === 0 || this.#length + line.length > longestRecord) return false;
    if (goesOn(line)) return true;
    return isPlace(this.#lines[0]!) && !this.#isStack && this.#lines.length < longestPreamble;
  }
}
