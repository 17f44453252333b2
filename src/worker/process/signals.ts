/**
 * A terminal or a service manager signals the whole process group. The primary alone acts on that; in a worker these
 * signals do nothing, not even to handlers of the app: one that closes its server at SIGINT would drop requests that
 * the primary wants finished. Such handlers are the app's clean-up, and run when its last request is done.
 *
 * SIGUSR1 is left to Node, which starts its inspector.
 */
const groupSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU'] as const;
type GroupSignal = (typeof groupSignals)[number];

/** What PM2 sends a worker to stop it comes first: an app has handlers for one or for both. */
const cleanUpSignals: readonly GroupSignal[] = ['SIGINT', 'SIGTERM'];

const names: ReadonlySet<unknown> = new Set(groupSignals);
const ours = (): void => {};
const emit = process.emit;

/** To be called before any code of the app is loaded. */
export function ignoreGroupSignals(): void {
  // Whoever listens, and however it began to, hears a signal through `emit`.
  process.emit = function (this: NodeJS.Process, name: string, ...args: unknown[]): boolean {
    if (names.has(name)) return true;
    return Reflect.apply(emit, this, [name, ...args]) as boolean;
  } as typeof process.emit;
  for (const signal of groupSignals) process.on(signal, ours);
}

/** Runs the app's own handlers for the first of SIGINT and SIGTERM that it handles. False where it handles neither. */
export function runAppCleanUp(): boolean {
  const signal = cleanUpSignals.find((each) => process.listeners(each).some((listener) => listener !== ours));
  if (signal === undefined) return false;
  Reflect.apply(emit, process, [signal, signal]);
  return true;
}
