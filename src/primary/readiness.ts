/**
 * Tells whoever started the primary how it is: systemd (`Type=notify`), or a parent with an IPC channel, as PM2's
 * `wait_ready` has it. Under a keeper it is the keeper that was
 * started: it is told, and systemd is told in its name.
 *
 * systemd is told by its own `systemd-notify`, since Node cannot send to a Unix datagram socket. The unit needs
 * `NotifyAccess=all`, because the words then come from a child. systemd-notify waits until they have been taken in
 * (sd_notify(3), BARRIER=1), so they are not lost when it exits.
 */
import { execFile } from 'node:child_process';
import type { Logger } from 'pino';

export interface Readiness {
  /** Every worker serves. */
  ready(): void;
  /** What `systemctl status` shows beside the unit. */
  stopping(): void;
}

export interface Starter {
  readonly keeper: { readonly pid: number; send(message: { type: 'ready' }): void } | null;
  /** systemd knows of this site already, and watches it. */
  readonly again: boolean;
}

/** Call once, before the workers are started: the variables are taken out of what they inherit. */
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
      if (error !== null) log.warn({ err: error, words }, 'systemd could not be told; is systemd-notify on the PATH?');
    });
  };
  const feed = (): void => {
    const every = watchdogInterval(limit, watched, pid);
    // Sent by the primary's own loop: one that hangs sends nothing, and systemd starts it anew.
    if (every !== undefined) watchdog ??= setInterval(tell, every, 'WATCHDOG=1').unref();
  };
  if (again) feed();
  return {
    ready() {
      tell('--ready', `--pid=${pid}`);
      if (keeper !== null) keeper.send({ type: 'ready' });
      // PM2 listens for this; nobody else is disturbed by it.
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

/** Half of what systemd allows, as sd_watchdog_enabled(3) advises, ms. */
function watchdogInterval(limit: string | undefined, watched: string | undefined, pid: number): number | undefined {
  const usec = Number(limit);
  if (!(usec > 0) || (watched !== undefined && Number(watched) !== pid)) return undefined;
  return usec / 2000;
}
