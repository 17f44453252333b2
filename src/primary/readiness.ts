/**
 * Reports readiness to the process that started the primary: systemd (`Type=notify`), or a parent with an IPC channel,
 * as for PM2's `wait_ready`. With a keeper, the keeper is the process that was started: it gets the report, and systemd
 * gets the keeper's pid.
 *
 * systemd gets its messages through its own `systemd-notify`, since Node cannot send to a Unix datagram socket. The
 * unit needs `NotifyAccess=all`, because the messages come from a child process. systemd-notify waits until systemd has
 * read them (sd_notify(3), BARRIER=1), so they are not lost when it exits.
 */
import { execFile } from 'node:child_process';
import type { Logger } from 'pino';

export interface Readiness {
  /** Every worker serves. */
  ready(): void;
  /** Shown by `systemctl status` for the unit. */
  stopping(): void;
}

/** For a program that was not started as a service of quiesce's. */
export const silent: Readiness = { ready: () => {}, stopping: () => {} };

export interface Starter {
  readonly keeper: { readonly pid: number; send(message: { type: 'ready' }): void } | null;
  /** systemd already knows this site and watches it. */
  readonly again: boolean;
}

/** Call once, before the workers are started: the variables are removed from their environment. */
export function announcer(
  log: Pick<Logger, 'warn' | 'debug'>,
  env: NodeJS.ProcessEnv = process.env,
  { keeper, again }: Starter = { keeper: null, again: false },
): Readiness {
  const pid = keeper?.pid ?? process.pid;
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: limit, WATCHDOG_PID: watched } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  let watchdog: NodeJS.Timeout | undefined;
  const tell = (...words: string[]): void => {
    if (socket === undefined || socket === '') return;
    execFile('systemd-notify', words, { env: { ...env, NOTIFY_SOCKET: socket }, timeout: 5000 }, (error) => {
      if (error !== null)
        log.warn({ err: error, words }, 'systemd could not be notified; is systemd-notify on the PATH?');
    });
  };
  const feed = (): void => {
    const every = watchdogInterval(limit, watched, pid);
    // Sent by the primary's own event loop: if it hangs, nothing is sent, and systemd restarts the site.
    if (every !== undefined) watchdog ??= setInterval(tell, every, 'WATCHDOG=1').unref();
  };
  if (again) feed();
  return {
    ready() {
      tell('--ready', `--pid=${pid}`);
      if (keeper !== null) keeper.send({ type: 'ready' });
      // PM2 listens for this; other parents ignore it.
      else
        process.send?.('ready', (error: Error | null) => {
          if (error !== null) log.debug({ err: error }, 'the parent process could not be told');
        });
      feed();
    },
    stopping() {
      clearInterval(watchdog);
      tell('STOPPING=1');
    },
  };
}

/** Half of systemd's limit, as sd_watchdog_enabled(3) advises, ms. */
function watchdogInterval(limit: string | undefined, watched: string | undefined, pid: number): number | undefined {
  const usec = Number(limit);
  if (!(usec > 0) || (watched !== undefined && Number(watched) !== pid)) return undefined;
  return usec / 2000;
}
