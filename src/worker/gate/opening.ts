/**
 * Opens the gate, but not before those who listen to `mirrored` have heard what the pause has changed: their caches are
 * empty when the first request comes.
 */
import type { Mirrored } from '../../protocol/messages.ts';

export interface OpeningSeams {
  /** Resolves when the listeners are done, or have had time enough; undefined where nobody has to be waited for. */
  readonly tell: (event: Mirrored) => Promise<void> | undefined;
  readonly open: (epoch: number) => void;
}

/** The primary repeats what it does not know to have arrived, so the runs that were told are remembered. */
const remembered = 100;

export class Opening {
  readonly #seams: OpeningSeams;
  readonly #told = new Set<string>();
  #waiting = 0;
  #listening: Promise<void> = Promise.resolve();

  constructor(seams: OpeningSeams) {
    this.#seams = seams;
  }

  /** Tells of each run once. */
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

  /** Of a pause that has begun since, the gate itself knows that this epoch is over. */
  resume(epoch: number, runs: readonly Mirrored[]): void {
    this.hear(runs);
    if (this.#waiting === 0) this.#seams.open(epoch);
    else void this.#listening.then(() => this.#seams.open(epoch));
  }
}
