/** What signals ask of a primary. A handler only enqueues; the work is done by whoever owns it. */
import type { Logger } from 'pino';

export interface SignalActions {
  readonly stop: (now: boolean) => void;
  readonly toggleHold: () => void;
  readonly reload: () => Promise<void>;
  readonly scaleBy: (step: 1 | -1) => Promise<void>;
  readonly log: Logger;
}

/** Returns how to remove the handlers. Signals follow nginx, unicorn and puma; docs/signals.md has the table. */
export function onSignals({ stop, toggleHold, reload, scaleBy, log }: SignalActions): () => void {
  const later = (signal: NodeJS.Signals, action: () => void | Promise<void>) => (): void => {
    log.info({ signal }, `${signal} received`);
    setImmediate(() => {
      Promise.resolve(action()).catch((error: unknown) =>
        log.error({ err: error, signal }, `what ${signal} asked for failed`),
      );
    });
  };
  const handlers: [NodeJS.Signals, () => void][] = [
    ['SIGTERM', later('SIGTERM', () => stop(false))],
    ['SIGINT', later('SIGINT', () => stop(false))],
    ['SIGUSR2', later('SIGUSR2', toggleHold)],
    ['SIGHUP', later('SIGHUP', reload)],
    ['SIGTTIN', later('SIGTTIN', () => scaleBy(1))],
    ['SIGTTOU', later('SIGTTOU', () => scaleBy(-1))],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
