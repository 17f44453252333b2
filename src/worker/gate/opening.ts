/**
 * Opens the gate after the listeners of `mirrored` have handled what the pause has changed: their caches are empty when
 * the first request comes.
 */
import type { Mirrored } from '../../protocol/workers/messages.ts';

export interface OpeningSeams {
  /** Resolves when the listeners are done, or their time is over; undefined if nothing has to be waited for. */
  readonly tell: (event: Mirrored) => Promise<void> | undefined;
  readonly open: (epoch: number) => void;
}

/** How many runs are remembered as reported: the primary repeats what may not have arrived. */
const remembered = 100;

export class Opening {
  readonly #seams: OpeningSeams;
  readonly #told = new Set<string>();
  #waiting = 0;
  #listening: Promise<void> = Promise.resolve();

  constructor(seams: OpeningSeams) {
    this.#seams = seams;
  }

  /** Reports each run once. */
  hear(runs: readonly Mirrored[]): void {
    for (const event of runs) {
      if (this.#told.has(event.run)) continue;
      this.#told.add(event.run);
      if (this.#told.size > remembered) this.#told.delete(this.#told.values().next().value!);
      const done = this.#seams.tell(event);
      if (done === undefined) continue;
      this.#waiting++;
      const before = this.#listening;
      this.#listening = done.then(() => before).finally(() => this.#waiting--);
    }
  }

  /** If another pause has started since, the gate itself ignores this older epoch. */
  resume(epoch: number, runs: readonly Mirrored[]): void {
    this.hear(runs);
    if (this.#waiting === 0) this.#seams.open(epoch);
    else void this.#listening.then(() => this.#seams.open(epoch));
  }
}
