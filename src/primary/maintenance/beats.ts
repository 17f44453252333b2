/** Keeps the last heartbeat of each worker, and answers questions about all of them. */
import type { Heartbeat } from '../../protocol/workers/messages.ts';
import type { WaitingRequest } from '../../protocol/api/runs.ts';
import { longestListening } from '../../protocol/workers/listening.ts';
import type { State, WorkerView } from './machine/state.ts';
import type { WorkerRef } from '../ports.ts';
import { keyOf } from '../worker-ref.ts';

interface Beat {
  readonly at: number;
  readonly beat: Heartbeat;
}

/**
 * How long to wait after a resume for the workers' counts of refusals, ms; longer if their gates wait for listeners.
 */
const tallyWait = 250;

export class Beats {
  readonly #beats = new Map<string, Beat>();
  readonly #arrivals = new Set<() => void>();
  /** Refusals of workers that are gone. */
  #refusedByGone = 0;

  of(worker: WorkerRef): Heartbeat | undefined {
    return this.#beats.get(keyOf(worker))?.beat;
  }

  set(worker: WorkerRef, beat: Heartbeat): void {
    this.#beats.set(keyOf(worker), { at: performance.now(), beat });
    for (const arrival of this.#arrivals) arrival();
  }

  forget(worker: WorkerRef): void {
    const key = keyOf(worker);
    this.#refusedByGone += this.#beats.get(key)?.beat.refused ?? 0;
    this.#beats.delete(key);
    for (const arrival of this.#arrivals) arrival();
  }

  /** Requests refused since the primary started, as far as known. */
  get refused(): number {
    let total = this.#refusedByGone;
    for (const { beat } of this.#beats.values()) total += beat.refused;
    return total;
  }

  /** The requests that a drain waits for, the oldest first. */
  waitingFor(state: State): WaitingRequest[] {
    if (state.phase !== 'draining') return [];
    const now = performance.now();
    const list: WaitingRequest[] = [];
    for (const worker of state.workers.values()) {
      const known = worker.gate === 'shut' ? undefined : this.#beats.get(keyOf(worker));
      for (const request of known?.beat.oldest ?? []) {
        list.push({ slot: worker.slot, ...request, age: Math.round(request.age + now - known!.at) });
      }
    }
    return list.sort((a, b) => b.age - a.age);
  }

  /**
   * Workers send a heartbeat at once when their gates have opened. Resolves when all have arrived, or after a short
   * time: a complete report is worth that wait, but no longer one.
   */
  tally(state: () => State): Promise<void> {
    const since = performance.now();
    const isIn = (worker: WorkerView): boolean => {
      const { at, beat } = this.#beats.get(keyOf(worker)) ?? { at: 0, beat: null };
      // A worker that must hear of a run may send heartbeats while its gate still waits for the app's listeners.
      return at >= since && (worker.mirrored.length === 0 || beat?.gate !== 'shut');
    };
    const complete = (): boolean =>
      [...state().workers.values()].every((worker) => worker.gate !== 'open' || isIn(worker));
    const listening = [...state().workers.values()].some(({ mirrored }) => mirrored.length > 0) ? longestListening : 0;
    return new Promise((resolve) => {
      const look = (): void => {
        if (!complete()) return;
        end();
      };
      const end = (): void => {
        clearTimeout(timer);
        this.#arrivals.delete(look);
        resolve();
      };
      const timer = setTimeout(end, tallyWait + listening);
      this.#arrivals.add(look);
      look();
    });
  }
}
