/** How many requests the workers admit and refuse, read from the counts in their heartbeats. */
import type { Heartbeat } from '../../protocol/workers/messages.ts';
import type { WorkerRef } from '../ports.ts';
import type { Observer } from './observers.ts';
import { keyOf } from '../worker-ref.ts';

/** Requests per second. */
export interface Rates {
  readonly served: number;
  readonly refused: number;
}

interface Counts {
  /** `performance.now()`. */
  readonly at: number;
  readonly served: number;
  readonly refused: number;
}

interface Worker {
  base: Counts;
  /** When its last heartbeat arrived, `performance.now()`. */
  heardAt: number;
  rates: Rates;
  /** The time over which the last rates were measured, ms. */
  span: number;
}

/** An extra heartbeat comes milliseconds after another one; a rate over such a short time means nothing. */
const shortestSpan = 500;
const still: Rates = { served: 0, refused: 0 };

export class Traffic implements Observer {
  readonly #workers = new Map<string, Worker>();
  readonly #now: () => number;

  /** `now` in ms, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  beat(ref: WorkerRef, { served, refused }: Heartbeat): void {
    const next: Counts = { at: this.#now(), served, refused };
    const worker = this.#workers.get(keyOf(ref));
    if (worker === undefined) {
      this.#workers.set(keyOf(ref), { base: next, heardAt: next.at, rates: still, span: shortestSpan });
      return;
    }
    worker.heardAt = next.at;
    const span = next.at - worker.base.at;
    if (span < shortestSpan) return;
    const perSecond = (count: number): number => Math.round((Math.max(0, count) / span) * 10_000) / 10;
    worker.rates = {
      served: perSecond(served - worker.base.served),
      refused: perSecond(refused - worker.base.refused),
    };
    worker.base = next;
    worker.span = span;
  }

  gone(ref: WorkerRef): void {
    this.#workers.delete(keyOf(ref));
  }

  /** Zero for a worker that has missed several heartbeats: its present rates are unknown. */
  ratesOf(ref: WorkerRef): Rates {
    const worker = this.#workers.get(keyOf(ref));
    return worker === undefined || this.#now() - worker.heardAt > 4 * worker.span ? still : worker.rates;
  }
}
