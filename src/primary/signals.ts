/** Maps signals to actions of a primary. A handler only starts the action, outside the signal handler. */
import type { Logger } from 'pino';

export interface SignalActions {
  readonly stop: (now: boolean, signal: NodeJS.Signals) => void;
  readonly toggleHold: () => void | Promise<void>;
  readonly reload: () => Promise<void>;
  readonly scaleBy: (step: 1 | -1) => Promise<void>;
  readonly reopenFiles: () => void;
  /** Forwards the signals that it gets: a service manager knows the keeper's pid, not that of the primary. */
  readonly keeper?: { onSignal(listener: (signal: string, early: boolean) => void): void };
  readonly log: Logger;
  /** The current time in ms; default: the monotonic clock. */
  readonly now?: () => number;
}

/**
 * Under npm, and under `timeout`, one Ctrl-C arrives twice: the process group gets the signal, and the parent forwards
 * it. The same signal within this time, ms, is that echo, and not a second request, which would stop at once.
 */
const echo = 300;

/**
 * Under a keeper a signal to the process group arrives twice: directly, and from the keeper. Two that arrive in the
 * same way are two signals.
 */
export class TwinSignals {
  readonly #last = new Map<string, { readonly forwarded: boolean; readonly at: number }>();

  isTwin(signal: string, forwarded: boolean, now: number): boolean {
    const last = this.#last.get(signal);
    const isTwin = last !== undefined && last.forwarded !== forwarded && now - last.at < echo;
    if (isTwin) this.#last.delete(signal);
    else this.#last.set(signal, { forwarded, at: now });
    return isTwin;
  }
}

/** These would end a process that does not handle them yet. SIGTERM and SIGINT may: there is nothing to finish yet. */
const early = ['SIGUSR2', 'SIGHUP', 'SIGTTIN', 'SIGTTOU'] as const satisfies readonly NodeJS.Signals[];
const kept: NodeJS.Signals[] = [];
let giveBack = (): void => {};

/** From now on these signals wait for {@link onSignals}: a primary may have to wait for its database first. */
export function keepSignals(): void {
  giveBack();
  const keep = (signal: NodeJS.Signals): void => void kept.push(signal);
  for (const signal of early) process.on(signal, keep);
  giveBack = () => {
    for (const signal of early) process.off(signal, keep);
  };
}

/** The signals are for the program whose process this is. */
export function leaveSignals(_actions: SignalActions): () => void {
  return () => {};
}

/**
 * Returns a function that removes the handlers. Signals follow nginx, unicorn and puma; docs/signals.md has the table.
 */
export function onSignals(actions: SignalActions): () => void {
  const { stop, toggleHold, reload, scaleBy, reopenFiles, keeper, log, now = () => performance.now() } = actions;
  const later = (signal: NodeJS.Signals, action: () => void | Promise<void>) => (): void => {
    log.info({ signal }, `${signal} received`);
    setImmediate(() => {
      (async () => action())().catch((error: unknown) =>
        log.error({ err: error, signal }, `what ${signal} asked for failed`),
      );
    });
  };
  let stoppedAt = -Infinity;
  const stopUnlessEcho = (signal: NodeJS.Signals): (() => void) => {
    const act = later(signal, () => stop(false, signal));
    return () => {
      if (now() - stoppedAt < echo) return log.debug({ signal }, `${signal} received again at once: an echo`);
      stoppedAt = now();
      act();
    };
  };
  const twins = new TwinSignals();
  const perform: [NodeJS.Signals, () => void][] = [
    ['SIGTERM', stopUnlessEcho('SIGTERM')],
    ['SIGINT', stopUnlessEcho('SIGINT')],
    ['SIGUSR2', later('SIGUSR2', toggleHold)],
    ['SIGUSR1', later('SIGUSR1', reopenFiles)],
    ['SIGHUP', later('SIGHUP', reload)],
    ['SIGTTIN', later('SIGTTIN', () => scaleBy(1))],
    ['SIGTTOU', later('SIGTTOU', () => scaleBy(-1))],
  ];
  const handlers = perform.map(([signal, act]): [NodeJS.Signals, () => void] => [
    signal,
    () => {
      if (!twins.isTwin(signal, false, now())) act();
    },
  ]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  giveBack();
  // No worker is older than this start, so SIGHUP has nothing to reload.
  const due = kept.splice(0).filter((signal) => signal !== 'SIGHUP');
  for (const signal of due) handlers.find(([name]) => name === signal)?.[1]();
  keeper?.onSignal((signal, early) => {
    if (early && signal === 'SIGHUP') return;
    const act = perform.find(([name]) => name === signal)?.[1];
    if (act !== undefined && !twins.isTwin(signal, true, now())) act();
  });
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
