/**
 * Signals in a worker.
 *
 * A terminal or a service manager signals the whole process group. The primary alone acts on that; a worker ignores
 * these signals, and its app's handlers do not hear them: one that closes its server at SIGINT would drop requests that
 * the primary wants finished. Such handlers are the app's clean-up, and run when its last request is done.
 *
 * What the app raises on itself is another matter, and does what it does under plain Node: its handlers hear it, or it
 * ends the process. Clean-ups end like that.
 *
 * SIGUSR1 is left to Node, which starts its inspector.
 */
import { constants } from 'node:os';
import { writeOut } from './stdio.ts';

const groupSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU'] as const;
type GroupSignal = (typeof groupSignals)[number];

/** What PM2 sends a worker to stop it comes first: an app has handlers for one or for both. */
const cleanUpSignals: readonly GroupSignal[] = ['SIGINT', 'SIGTERM'];

const names: ReadonlySet<unknown> = new Set(groupSignals);
/** Those that the app has raised on itself, and that have not arrived yet. */
const raised = new Set<unknown>();
const { emit } = process;

/** Call this before any code of the app is loaded. */
export function ignoreGroupSignals(): void {
  // Every listener, however it was added, gets a signal through `emit`.
  process.emit = function (this: NodeJS.Process, name: string, ...args: unknown[]): boolean {
    if (names.has(name) && !raised.delete(name)) return true;
    // Node would let go of the signal with its last listener, and the next one would end the process.
    if (name === 'removeListener' && names.has(args[0])) return true;
    return Reflect.apply(emit, this, [name, ...args]) as boolean;
  } as typeof process.emit;
  // Node holds on to a signal that had a listener once. None stays: there are clean-ups that count them.
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
  writeOut(); // what follows is the end
  Reflect.apply(emit, process, ['removeListener', signal, nothing]);
}

function nameOf(signal: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
}

/**
 * The signal whose handlers are the app's clean-up; undefined where it handles none. Of both the one that more listen
 * to: some libraries listen to all of them, for themselves.
 */
export function cleanUpSignal(): GroupSignal | undefined {
  const most = Math.max(1, ...cleanUpSignals.map((each) => process.listenerCount(each)));
  return cleanUpSignals.find((each) => process.listenerCount(each) === most);
}

/** Runs the app's handlers. What they throw is thrown. */
export function runCleanUp(signal: GroupSignal): void {
  Reflect.apply(emit, process, [signal, signal, constants.signals[signal]]);
}
