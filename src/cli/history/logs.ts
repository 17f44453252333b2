/** `quiesce logs`: prints the log of an app. */
import path from 'node:path';
import { findDataDir, type Target } from '../find-data-dir.ts';
import { linesOf } from '../lines.ts';
import { print } from '../output.ts';
import { tail } from './tail.ts';
import { QuiesceError } from '../../errors.ts';
import { linesForPeople } from '../../primary/log/line-for-people.ts';
import { visible } from '../../protocol/visible.ts';
import { logFileName } from '../../primary/log/log-file.ts';

export interface LogsOptions extends Target {
  readonly follow?: boolean;
  readonly lines: number;
  readonly json?: boolean;
  readonly pretty?: boolean;
}

/** Formats the lines for people on a terminal or with `--pretty`; prints them unchanged otherwise or with `--json`. */
export async function logs(options: LogsOptions): Promise<void> {
  if (options.json && options.pretty)
    throw new QuiesceError('bad-usage', '--json and --pretty are two forms: choose one.');
  const file = path.join(await findDataDir(options), logFileName);
  const shown = formatOf(options);
  const chunks = tail(file, { lines: options.lines, follow: options.follow ?? false });
  try {
    for await (const line of linesOf(decoded(chunks))) print(shown(line));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new QuiesceError(
      'no-primary',
      `There is no log in ${file}: the app has not been started with this data directory.`,
      { cause },
    );
  }
}

async function* decoded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
}

function formatOf({ json = false, pretty = false }: LogsOptions): (line: string) => string {
  const { isTTY } = process.stdout;
  if (json || !(pretty || isTTY)) return isTTY ? visible : (line) => line;
  return linesForPeople({
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
    colorize: Boolean(isTTY) && !process.env['NO_COLOR'],
  });
}
