/** The format of the log on a terminal. */
import { prettyFactory, type PrettyOptions } from 'pino-pretty';
import { visible, visibleColoured, visibleOutput } from '../../protocol/visible.ts';

/** Output of a worker follows its slot: `|` for stdout, `!` for stderr, `…` at the end if the line goes on. */
const format: PrettyOptions = {
  ignore: 'pid,hostname,name,slot,incarnation,stream,workerPid,cut',
  singleLine: true,
  messageFormat: (log, key) => {
    const { slot, incarnation, stream, cut } = log;
    const text = `${visibleOutput(String(log[key]))}${cut === true ? ' …' : ''}`;
    return typeof stream === 'string'
      ? `${String(slot)}.${String(incarnation)} ${stream === 'stderr' ? '!' : '|'} ${text}`
      : text;
  },
};

/**
 * Returns a function that formats one line of the log, without a newline at the end. A line that is no JSON record keeps
 * its text.
 */
export function linesForPeople(options: PrettyOptions): (line: string) => string {
  const pretty = prettyFactory({ ...format, ...options });
  return (line) => {
    const record = recordOf(line);
    // After the formatter, which decodes the strings of a record: an escape before it would be undone.
    return record === null ? visible(line) : visibleColoured(pretty(record)).trimEnd();
  };
}

function recordOf(line: string): object | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
