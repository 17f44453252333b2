/** Finds responses that are no longer referenced, while something waits for their requests. */
import v8 from 'node:v8';
import vm from 'node:vm';

/**
 * Handlers that notice that their client has gone are done after this time, ms. A collection stops the process for a
 * moment, longer with a large heap. So each wait of a pause is twice the one before, and at least 20 times as long as
 * the collection was: 10 collections in the first minute of a pause, 16 in an hour, and never more than a twentieth of
 * the time.
 */
const firstAfter = 50;
const longestWait = 2 ** 31 - 1;
const waitsForWork = 20;

export class Search {
  readonly #needed: () => boolean;
  readonly #collect: () => void;
  #timer: NodeJS.Timeout | null = null;
  #after = firstAfter;

  /** `needed` is called before each collection. */
  constructor(needed: () => boolean, collectNow: () => void = () => collect()) {
    this.#needed = needed;
    this.#collect = collectNow;
  }

  /** A new pause: the waits are short again. */
  reset(): void {
    this.#after = firstAfter;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  begin(): void {
    if (this.#timer !== null || !this.#needed()) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (!this.#needed()) return; // later waits of this pause do not get longer
      const before = performance.now();
      this.#collect();
      const took = performance.now() - before;
      this.#after = Math.min(Math.max(2 * this.#after, waitsForWork * took), longestWait);
      this.begin();
    }, this.#after).unref();
  }
}

let collect = (): void => {
  // Does what `node --expose-gc` does, without the flag; the app does not see it.
  v8.setFlagsFromString('--expose-gc');
  collect = vm.runInNewContext('gc') as () => void;
  v8.setFlagsFromString('--no-expose-gc');
  collect();
};
