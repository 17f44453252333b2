/** Finds responses that are no longer referenced, while something waits for their requests. */
import v8 from 'node:v8';
import vm from 'node:vm';

/**
 * Handlers that notice that their client has gone are done by then, ms. A collection stops the process for a moment,
 * longer where its heap is large, so each wait of a pause is twice the one before, and at least 20 times as long as the
 * collection was: 10 collections in the first minute of a pause, 16 in an hour, and never more than a twentieth of the time.
 */
const firstAfter = 50;
const longestWait = 2 ** 31 - 1;
const waitsForWork = 20;

export class Search {
  readonly #needed: () => boolean;
  readonly #collect: () => void;
  #timer: NodeJS.Timeout | null = null;
  #after = firstAfter;

  /** `needed` is asked before each collection. */
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
      if (!this.#needed()) return; // it costs no wait of those that come later in this pause
      const before = performance.now();
      this.#collect();
      const took = performance.now() - before;
      this.#after = Math.min(Math.max(2 * this.#after, waitsForWork * took), longestWait);
      this.begin();
    }, this.#after).unref();
  }
}

let collect = (): void => {
  // What `node --expose-gc` gives, without the flag; the app does not see it.
  v8.setFlagsFromString('--expose-gc');
  collect = vm.runInNewContext('gc') as () => void;
  v8.setFlagsFromString('--no-expose-gc');
  collect();
};
