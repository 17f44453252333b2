import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { quiesceCommand } from './command.ts';

export interface RunningCommand {
  readonly child: ChildProcess;
  /** Standard output so far. */
  out(): string;
  /** Standard error so far. */
  err(): string;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
}

/** `quiesce` for a test that goes on meanwhile, or that feeds its standard input. */
export function startQuiesce(
  args: readonly string[],
  {
    cwd,
    input = '',
    command = quiesceCommand,
    env: more = {},
  }: { cwd: string; input?: string; command?: string; env?: Readonly<Record<string, string>> },
): RunningCommand {
  const { QUIESCE_DATA_DIR: _dir, QUIESCE_SYNC_TOKEN: _token, ...env } = process.env;
  const child = spawn(process.execPath, [command, ...args], { cwd, env: { ...env, NO_COLOR: '1', ...more } });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return { child, out: () => out, err: () => err, ended: once(child, 'close').then(() => child.exitCode) };
}
