/**
 * Calls the functions with which an app stops work for a pause and starts it again: queue consumers, timers, sockets.
 *
 * running ──pause──▶ stopping ──(all have settled)──▶ stopped ──resume──▶ starting ──(all have settled)──▶ running
 *
 * The functions of `onPause` and of `onResume` never overlap: a resume waits for functions that still stop, and a pause
 * for functions that still start. When they have settled, the state that is wanted by then comes next.
 */
import type { InFlightRequest } from '../../../protocol/workers/messages.ts';
import { attempt } from './attempt.ts';

export type WorkStage = 'running' | 'stopping' | 'stopped' | 'starting';
type Goal = 'running' | 'stopped';

/** The next stage; null if nothing is to do. Pure. */
export function nextStage(stage: WorkStage, goal: Goal): WorkStage | null {
  if (stage === 'running' && goal === 'stopped') return 'stopping';
  if (stage === 'stopped' && goal === 'running') return 'starting';
  return null;
}

interface Named {
  readonly work: () => unknown;
  readonly name: string;
}

interface Pending {
  readonly method: 'onPause' | 'onResume';
  readonly name: string;
  /** `performance.now()`, ms. */
  readonly since: number;
}

export class PauseWork {
  #stage: WorkStage = 'running';
  #goal: Goal = 'running';
  readonly #stops = new Set<Named>();
  readonly #starts = new Set<Named>();
  readonly #pending = new Set<Pending>();
  readonly #onStopped: () => void;

  /** `onStopped` is called each time everything has stopped. */
  constructor(onStopped: () => void) {
    this.#onStopped = onStopped;
  }

  /** Whether a drain need not wait for this work. */
  get isStopped(): boolean {
    return this.#stage === 'stopped';
  }

  /** During a pause the function is called at once, after the current code. Returns a function that removes it. */
  onPause(work: () => unknown, name: string): () => void {
    const added: Named = { work, name };
    this.#stops.add(added);
    const isLate = (): boolean => this.#goal === 'stopped' && (this.#stage === 'stopping' || this.#stage === 'stopped');
    if (isLate()) queueMicrotask(() => void (isLate() && this.#stops.has(added) && this.#begin('stopping', [added])));
    return () => void this.#stops.delete(added);
  }

  /** Returns a function that removes it. */
  onResume(work: () => unknown, name: string): () => void {
    const added: Named = { work, name };
    this.#starts.add(added);
    return () => void this.#starts.delete(added);
  }

  stop(): void {
    this.#goal = 'stopped';
    this.#turn();
  }

  start(): void {
    this.#goal = 'running';
    this.#turn();
  }

  /** The functions that a drain waits for, in the form of requests; `age` in ms. */
  list(): InFlightRequest[] {
    const now = performance.now();
    return [...this.#pending].map(({ method, name, since }) => ({
      method,
      path: name,
      route: name, // chosen by the author of the app, so everybody may read it
      age: Math.round(now - since),
    }));
  }

  #turn(): void {
    const next = nextStage(this.#stage, this.#goal);
    if (next === 'stopping') this.#begin(next, this.#stops);
    if (next === 'starting') this.#begin(next, this.#starts);
  }

  #begin(stage: 'stopping' | 'starting', works: Iterable<Named>): void {
    this.#stage = stage;
    const method = stage === 'stopping' ? 'onPause' : 'onResume';
    for (const { work, name } of works) {
      const pending: Pending = { method, name, since: performance.now() };
      this.#pending.add(pending);
      const result = attempt(`${method}(${name})`, work);
      if (result === undefined) this.#pending.delete(pending);
      else void result.then(() => this.#settled(pending));
    }
    this.#settled();
  }

  #settled(done?: Pending): void {
    if (done !== undefined) this.#pending.delete(done);
    if (this.#pending.size > 0) return;
    this.#stage = this.#stage === 'stopping' || this.#stage === 'stopped' ? 'stopped' : 'running';
    if (this.#stage === 'stopped') this.#onStopped();
    this.#turn();
  }
}
