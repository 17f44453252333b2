/** Keeps the last lines of the log in memory for its readers. One more destination of pino. */
import { shortened } from '../../shortened.ts';

const kept = 400;
/** The most characters kept of one line: a worker may print a whole document. */
const longest = 4_000;
/** How often new lines are sent, ms, and how many at once: a worker that floods its log must not flood its readers. */
const interval = 250;
const mostAtOnce = 200;

export class LogTail {
  #lines: string[] = [];
  #fresh: string[] = [];
  #leftOut = 0;
  #timer: NodeJS.Timeout | undefined;
  #tell: (lines: readonly string[]) => void = () => {};

  /** Called with batches of lines, each one JSON object. */
  onLines(tell: (lines: readonly string[]) => void): void {
    this.#tell = tell;
  }

  /** The oldest first, each one JSON object. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** pino calls this once for each line. */
  write(text: string): void {
    const line = clipped(text.trimEnd());
    this.#lines.push(line);
    if (this.#lines.length > 2 * kept) this.#lines = this.#lines.slice(-kept);
    this.#fresh.push(line);
    if (this.#fresh.length > mostAtOnce) {
      this.#leftOut++;
      this.#fresh.shift();
    }
    this.#timer ??= setTimeout(() => this.#flush(), interval).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #flush(): void {
    this.#timer = undefined;
    const lines = this.#fresh;
    if (this.#leftOut > 0) {
      const msg = `${this.#leftOut} lines before this one are not shown here`;
      lines.unshift(JSON.stringify({ level: 40, time: Date.now(), msg }));
    }
    this.#fresh = [];
    this.#leftOut = 0;
    this.#tell(lines);
  }
}

function clipped(line: string): string {
  if (line.length <= longest) return line;
  try {
    const { level, time, slot, incarnation, stream, msg } = JSON.parse(line) as Record<string, unknown>;
    return JSON.stringify({
      level,
      time,
      slot,
      incarnation,
      stream,
      msg: `${String(msg).slice(0, longest)} … (${line.length} characters)`,
    });
  } catch {
    return JSON.stringify({ level: 30, time: Date.now(), msg: shortened(line, longest) });
  }
}
