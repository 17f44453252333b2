/**
 * `quiesce --version` and `quiesce status` without the parser of all commands, which takes longer to load than they
 * take: `status` is used as a health check. What this does not understand is left to that parser, with its errors.
 */
import { parseArgs } from 'node:util';
import { statusOptions, targetOptions, versionFlags } from './options.ts';
import type { StatusOptions } from './status.ts';
import { exitCodes } from '../errors.ts';
import { version } from '../version.ts';

/** Resolves with the exit code; null where the arguments are for the other parser. */
export async function runQuickly([command, ...rest]: readonly string[]): Promise<number | null> {
  if (command !== undefined && versionFlags.split(', ').includes(command)) {
    process.stdout.write(`${version}\n`);
    return exitCodes.done;
  }
  const options = command === 'status' ? parseStatus(rest) : null;
  if (options === null) return null;
  const { ignoreClosedPipe } = await import('./output.ts');
  ignoreClosedPipe();
  const { status } = await import('./status.ts');
  return status(options).then(
    () => exitCodes.done,
    async (error: unknown) => (await import('./fail.ts')).fail(error),
  );
}

export function parseStatus(args: readonly string[]): StatusOptions | null {
  const options = [...targetOptions, ...statusOptions].map(([flags]) => {
    const [flag = '', value] = flags.split(' ');
    return [flag.slice('--'.length), { type: value === undefined ? 'boolean' : 'string' }] as const;
  });
  try {
    const { values } = parseArgs({ args: [...args], options: Object.fromEntries(options) });
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [camelCase(name), value]));
  } catch {
    return null;
  }
}

/** As commander does. */
function camelCase(name: string): string {
  return name.replaceAll(/-[a-z]/g, ([, letter]) => letter!.toUpperCase());
}
