/** What an app can ask about the site, and be told: `isPaused()`, `state()`, `on()`, `onPause()`, `onResume()`. */
import type { Counts, HoldStatus } from '../../../protocol/api/runs.ts';
import type { RunOutcome } from '../../../protocol/words.ts';
import { getRuntime } from '../../process/runtime.ts';
import { attempt } from './attempt.ts';

/** A pause has started in this worker: its gate is shut. */
export interface PauseEvent {
  /** Grows with every pause. */
  readonly epoch: number;
  /** Why the gates are shut. */
  readonly holds: readonly HoldStatus[];
  /** The id of the run that paused the site, or null. */
  readonly run: string | null;
}

/** A run of `mirror()` that may have changed documents has ended: what is cached of them may be old. */
export interface MirroredEvent {
  /** The id of the run. */
  readonly run: string;
  /** The collection that it made equal to its feed. */
  readonly collection: string;
  /** `failed` and `abandoned`: some documents may have changed; it is not known which. */
  readonly outcome: RunOutcome;
  /** How many documents it inserted, updated, deleted and left; null if it did not succeed. */
  readonly counts: Counts | null;
  /**
   * The keys of the documents that it inserted, updated or deleted, as they are in the feed. Null if there are more
   * than 1,000, if they take more than 64 KB, or if they are not known (a run that failed or was rolled forward).
   */
  readonly keys: readonly unknown[] | null;
}

/** The pause has ended in this worker: its gate is open. */
export interface ResumeEvent {
  /** The epoch of the pause that has ended. */
  readonly epoch: number;
}

/** The events of `on()`, and what their listeners get. */
export interface SiteEvents {
  /** The gate has shut. */
  pause: PauseEvent;
  /** A run may have changed documents, and the gate is still shut. */
  mirrored: MirroredEvent;
  /** The gate is open again. */
  resume: ResumeEvent;
}

/** What this worker knows of the site. */
export interface SiteState {
  /**
   * `starting`: the worker has not heard from its primary yet; `open`: requests are served; `shut`: a pause;
   * `lost`: the primary is gone and this worker is stopping.
   */
  readonly gate: 'starting' | 'open' | 'shut' | 'lost';
  /** Grows with every pause; 0 before the first. */
  readonly epoch: number;
  /** Why the gate is shut; empty while it is open. */
  readonly holds: readonly HoldStatus[];
  /** The id of the run that is the reason, or null. */
  readonly run: string | null;
  /** Gated requests of this worker that are in flight. */
  readonly inFlight: number;
  /** The worker finishes what is in flight and ends. */
  readonly stopping: boolean;
}

/** Whether the gate of this worker is not open: a pause, or a worker that starts or has lost its primary. */
export function isPaused(): boolean {
  return getRuntime().gate.state !== 'open';
}

/** What this worker knows of the site now. A copy: it does not change later. */
export function state(): SiteState {
  const { gate, stopping } = getRuntime();
  const { holds, run } = gate.info;
  return { gate: gate.state, epoch: gate.epoch, holds: [...holds], run, inFlight: gate.inFlight, stopping };
}

const names = ['pause', 'mirrored', 'resume'] as const satisfies (keyof SiteEvents)[];

/**
 * Listens to what happens in this worker, in this order:
 *
 * - `pause`: the gate has shut. A listener that is added during a pause is called at once.
 * - `mirrored`: a run of `mirror()` has changed documents; also one that was rolled forward after a crash. The gate of
 *   this worker opens when all listeners are done: it waits for their promises, at most 5 seconds.
 * - `resume`: the gate is open again. A worker that starts while the site serves gets none.
 *
 * An error that a listener throws is logged and stops nothing. Nothing waits for promises of `pause` and `resume`: see
 * {@link onPause}.
 *
 * @returns a function that removes the listener
 * @throws TypeError if there is no such event, or the listener is not a function
 */
export function on<Name extends keyof SiteEvents>(
  name: Name,
  listener: (event: SiteEvents[Name]) => unknown,
): () => void {
  if (!names.includes(name))
    throw new TypeError(`on(): there is no event '${String(name)}'. There are ${names.join(', ')}.`);
  requireFunction('on', listener);
  const runtime = getRuntime();
  const remove = runtime.announcements.add(name, listener);
  if (name === 'pause' && runtime.gate.state === 'shut') {
    const heard = runtime.pauseEvent();
    queueMicrotask(() => void attempt("a listener of 'pause'", () => listener(heard as SiteEvents[Name])));
  }
  return remove;
}

/**
 * Stops work that runs without requests (queue consumers, timers, sockets) while the site is paused. A drain waits for
 * the promise that the function returns, as it does for a request: at most `maintenance.drain_timeout`, and the promise
 * is listed among what the drain waits for. The function is called at the start of each pause; if it is added during a
 * pause, at once. An error that it throws is logged and counts as done.
 *
 * The functions of `onPause` and {@link onResume} never overlap: those of one kind are called when the promises of the
 * other kind have settled.
 *
 * @param options.name its name while a drain waits for it; default the name of the function
 * @returns a function that removes it
 * @throws TypeError if it is not a function
 */
export function onPause(work: () => unknown, options: { name?: string } = {}): () => void {
  requireFunction('onPause', work);
  return getRuntime().gate.work.onPause(work, nameOf(work, options));
}

/**
 * Starts again what {@link onPause} has stopped: the function is called when the gate of this worker is open again. A
 * worker that starts while the site serves does not call it. An error that it throws is logged.
 *
 * @param options.name its name while the next drain waits for its promise; default the name of the function
 * @returns a function that removes it
 * @throws TypeError if it is not a function
 */
export function onResume(work: () => unknown, options: { name?: string } = {}): () => void {
  requireFunction('onResume', work);
  return getRuntime().gate.work.onResume(work, nameOf(work, options));
}

function requireFunction(where: string, given: unknown): void {
  if (typeof given !== 'function') throw new TypeError(`${where}() takes a function, not ${JSON.stringify(given)}.`);
}

function nameOf(work: Function, { name }: { name?: string }): string {
  return (name ?? work.name) || 'anonymous';
}
