import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly took: number;
}

export const quiesceCommand = fileURLToPath(import.meta.resolve('#quiesce/cli/main.js'));

/** Runs a program to its end, in an environment that says nothing of a cluster or a database but what is given. */
export function runProgram(
  file: string,
  args: readonly string[],
  { cwd, env = {}, within = 30_000 }: { cwd: string; env?: Readonly<Record<string, string>>; within?: number },
): Promise<Ended> {
  const {
    MONGODB_URI: _uri,
    QUIESCE_DATA_DIR: _dir,
    QUIESCE_SYNC_TOKEN: _token,
    PORT: _port,
    ...inherited
  } = process.env;
  const began = performance.now();
  return new Promise((resolve) => {
    const options = {
      cwd,
      env: { ...inherited, NO_COLOR: '1', ...env },
      timeout: within,
      killSignal: 'SIGKILL',
    } as const;
    execFile(file, args, options, (error, out, err) => {
      // One that had to be killed has no code: -1 is none that a program can end with.
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, out, err, took: performance.now() - began });
    });
  });
}

export function quiesce(args: readonly string[], options: Parameters<typeof runProgram>[2]): Promise<Ended> {
  return runProgram(process.execPath, [quiesceCommand, ...args], options);
}
