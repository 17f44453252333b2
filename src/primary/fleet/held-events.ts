/**
 * Workers that are forked before there is anybody to hear of them: what happens to them is kept until then.
 *
 *   holding → released (all of it has been passed on, in order, and what comes is passed on at once)
 */
import type { QuiesceError } from '../../errors.ts';
import type { FromWorker, Heartbeat } from '../../protocol/workers/messages.ts';
import type { WorkerEvents, WorkerExit, WorkerRef } from '../ports.ts';
import { failure } from './lifecycle/step.ts';

type LastBeat = (ref: WorkerRef) => Heartbeat | undefined;

export class HeldEvents implements WorkerEvents {
  readonly #welcome: (ref: WorkerRef) => void;
  #held: ((events: WorkerEvents) => void)[] = [];
  #receiver: WorkerEvents | null = null;
  #lastBeat: LastBeat = () => undefined;
  #fail!: (error: QuiesceError) => void;
  /** Rejects where a worker cannot boot while events are held. */
  readonly failed: Promise<never> = new Promise((_resolve, reject) => (this.#fail = reject));

  /** @param welcome answers the `hello` of a worker that nobody else hears yet: it may need its settings to boot */
  constructor(welcome: (ref: WorkerRef) => void) {
    this.#welcome = welcome;
    this.failed.catch(() => {}); // it may be nobody's business
  }

  release(receiver: WorkerEvents, lastBeat: LastBeat): void {
    this.#receiver = receiver;
    this.#lastBeat = lastBeat;
    for (const event of this.#held.splice(0)) event(receiver);
  }

  lastBeat(ref: WorkerRef): Heartbeat | undefined {
    return this.#lastBeat(ref);
  }

  forked(ref: WorkerRef): void {
    this.#pass((to) => to.forked(ref));
  }

  message(ref: WorkerRef, message: FromWorker): void {
    if (this.#receiver === null && message.type === 'hello') this.#welcome(ref);
    // The next one tells the same.
    if (this.#receiver === null && message.type === 'heartbeat') return;
    this.#pass((to) => to.message(ref, message));
  }

  gone(ref: WorkerRef, exit: WorkerExit): void {
    if (this.#receiver === null) this.#fail(failure('boot-failed', ref, 'could not boot', exit));
    this.#pass((to) => to.gone(ref, exit));
  }

  backoff(slot: number, looping: boolean): void {
    this.#pass((to) => to.backoff?.(slot, looping));
  }

  #pass(event: (events: WorkerEvents) => void): void {
    if (this.#receiver === null) this.#held.push(event);
    else event(this.#receiver);
  }
}
