/**
 * Signals in a worker.
 *
 * A terminal or a service manager signals the whole process group. Only the primary acts on that. A worker ignores
 * these signals, and the app's handlers do not get them: a handler that closes its server at SIGINT would drop requests
 * that the primary wants finished. Such handlers are the app's clean-up, and run when its last request has ended.
 *
 * A signal that the app raises on itself works as under plain Node: the app's handlers get it, or it ends the process.
 * Clean-ups end like that.
 *
 * SIGUSR1 is left to Node, which starts its inspector.
 */
import { constants } from 'node:os';
import { writeOut } from './stdio.ts';

const groupSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU'] as const;
type GroupSignal = (typeof groupSignals)[number];

/** The signal that PM2 sends to stop a worker comes first: an app handles one of them, or both. */
const cleanUpSignals: readonly GroupSignal[] = ['SIGINT', 'SIGTERM'];

const names: ReadonlySet<unknown> = new Set(groupSignals);
/** Signals that the app has raised on itself and that have not arrived yet. */
const raised = new Set<unknown>();
const { emit } = process;

/** Call this before any code of the app is loaded. */
export function ignoreGroupSignals(): void {
  // Every listener, however it was added, gets a signal through `emit`.
  process.emit = function (this: NodeJS.Process, name: string, ...args: unknown[]): boolean {
    if (names.has(name) && !raised.delete(name)) return true;
    // Node would stop handling the signal when its last listener is removed, and the next signal would end the process.
    if (name === 'removeListener' && names.has(args[0])) return true;
    return Reflect.apply(emit, this, [name, ...args]) as boolean;
  } as typeof process.emit;
  // Node goes on handling a signal that once had a listener. No listener stays, since some clean-ups count them.
  for (const signal of groupSignals) process.on(signal, nothing).off(signal, nothing);
  const { kill } = process;
  process.kill = (pid, signal = 'SIGTERM'): true => {
    if (Number(pid) === process.pid) letThrough(typeof signal === 'number' ? nameOf(signal) : signal);
    return Reflect.apply(kill, process, [pid, signal]);
  };
}

function nothing(): void {}

function letThrough(signal: string | undefined): void {
  if (signal === undefined || !names.has(signal)) return;
  if (process.listenerCount(signal) > 0) return void raised.add(signal);
  writeOut(); // the signal ends the process
  Reflect.apply(emit, process, ['removeListener', signal, nothing]);
}

function nameOf(signal: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
}

/**
 * The signal whose handlers are the app's clean-up; undefined if the app handles none. Of the two, the one with more
 * listeners: some libraries listen to all signals for their own purposes.
 */
export function cleanUpSignal(): GroupSignal | undefined {
  const most = Math.max(1, ...cleanUpSignals.map((each) => process.listenerCount(each)));
  return cleanUpSignals.find((each) => process.listenerCount(each) === most);
}

/** Runs the app's handlers, and throws what they throw. */
export function runCleanUp(signal: GroupSignal): void {
  Reflect.apply(emit, process, [signal, signal, constants.signals[signal]]);
}
