/**
 * Several apps of one file: a primary for each, as a child process, so that none can take another down.
 *
 * starting   until every app has been ready once. One that ends meanwhile ends them all, with its exit code: a
 *            deployment that does not work should be seen to fail.
 * running    an app that ends badly is started again, at first after 1 s, then twice that, up to 60 s. One that was
 *            stopped (exit code 0) stays stopped; when all have been, the launcher ends.
 * stopping   a signal was passed on, or the start has failed: nothing is started again.
 *
 * Each child has a process group of its own, so that Ctrl-C reaches it once, through the launcher. A child whose
 * launcher has died stops by itself (see `stopWithLauncher`).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { say } from './output.ts';
import { exitCodes } from '../errors.ts';

export interface LaunchedApp {
  readonly name: string;
  /** What the child is called with after `start`. */
  readonly args: readonly string[];
}

interface Child {
  readonly app: LaunchedApp;
  process: ChildProcess | null;
  ready: boolean;
  /** Times in a row that it ended badly. */
  failures: number;
  startedAt: number;
  timer: NodeJS.Timeout | undefined;
}

const variable = 'QUIESCE_LAUNCHED';
const firstDelay = 1000;
const longestDelay = 60_000;
/** What a primary does with them is in docs/signals.md. */
const passedOn: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU'];

export function restartDelay(failures: number): number {
  return Math.min(longestDelay, firstDelay * 2 ** (failures - 1));
}

/** For the child: ends with its launcher. False where it has none. */
export function stopWithLauncher(): boolean {
  if (process.env[variable] === undefined) return false;
  delete process.env[variable];
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // A listener for `disconnect` keeps the channel, and that the process, alive.
  process.channel?.unref();
  return true;
}

const watchParent = 500;

/**
 * npx runs a command in a shell and passes a signal to that shell only, which ends without a word: the app would run on
 * with nobody who knows of it. Not for `npm run`, whose scripts may put the app into the background on purpose.
 */
export function stopWithNpx(): void {
  if (process.env['npm_command'] !== 'exec') return;
  const { ppid } = process;
  const timer = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, watchParent);
  timer.unref();
}

/**
 * Resolves with the exit code when all have ended.
 *
 * @param env what each child gets: as it was before the file was evaluated, since each child does that itself
 */
export function launch(apps: readonly LaunchedApp[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const main = fileURLToPath(new URL('./main.js', import.meta.url));
    let stopping = false;
    let code = 0;

    const children = apps.map((app): Child => ({
      app,
      process: null,
      ready: false,
      failures: 0,
      startedAt: 0,
      timer: undefined,
    }));

    const stop = (signal: NodeJS.Signals): void => {
      stopping = true;
      for (const child of children) {
        clearTimeout(child.timer);
        child.timer = undefined;
        child.process?.kill(signal);
      }
      endIfAllEnded();
    };

    const endIfAllEnded = (): void => {
      if (children.some((child) => child.process !== null || child.timer !== undefined)) return;
      for (const [signal, handler] of handlers) process.off(signal, handler);
      resolve(code);
    };

    const ended = (child: Child, exitCode: number, how = `exit code ${exitCode}`): void => {
      child.process = null;
      if (exitCode !== 0 && !stopping && !children.every(({ ready }) => ready)) {
        code = exitCode;
        say(`quiesce: ${child.app.name} did not start (${how}); the others are stopped.`);
        stop('SIGTERM');
      } else if (exitCode !== 0 && !stopping) {
        child.failures = performance.now() - child.startedAt > longestDelay ? 1 : child.failures + 1;
        const delay = restartDelay(child.failures);
        say(`quiesce: ${child.app.name} ended with ${how} and is started again in ${delay / 1000} s.`);
        child.timer = setTimeout(begin, delay, child);
      } else {
        if (exitCode !== 0) code ||= exitCode;
        endIfAllEnded();
      }
    };

    const begin = (child: Child): void => {
      child.timer = undefined;
      child.startedAt = performance.now();
      const started = spawn(process.execPath, [...process.execArgv, main, 'start', ...child.app.args], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        detached: true,
        env: { ...env, [variable]: '1' },
      });
      child.process = started;
      started.on('message', (message) => {
        if (message === 'ready') child.ready = true;
      });
      started.once('error', (error) => {
        say(`quiesce: ${child.app.name} cannot be started: ${error.message}`);
        if (started.pid === undefined) ended(child, exitCodes.failed);
      });
      started.once('exit', (exitCode, signal) => ended(child, exitCode ?? exitCodes.failed, signal ?? undefined));
    };

    const handlers = passedOn.map((signal): [NodeJS.Signals, () => void] => [
      signal,
      () => {
        if (signal === 'SIGINT' || signal === 'SIGTERM') stop(signal);
        else for (const child of children) child.process?.kill(signal);
      },
    ]);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    for (const child of children) begin(child);
  });
}
