/** Looks for responses that nobody holds any more, where something waits for their requests. */
import v8 from 'node:v8';
import vm from 'node:vm';

/** Handlers that notice that their client has gone are done by then, ms. A collection stops the process for a moment. */
const firstAfter = 50;
const longestPause = 5_000;

export class Search {
  readonly #needed: () => boolean;
  #timer: NodeJS.Timeout | null = null;
  #after = firstAfter;

  /** `needed` is asked before each collection; they become rarer as long as it says yes. */
  constructor(needed: () => boolean) {
    this.#needed = needed;
  }

  begin(): void {
    if (this.#timer !== null) return;
    if (!this.#needed()) {
      this.#after = firstAfter;
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#needed()) collect();
      this.#after = Math.min(2 * this.#after, longestPause);
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
