/** A table shows its newest rows; a button shows the rest. */
import { byId, say, set } from './dom.ts';

const shown = 6;

export class More {
  readonly #button: HTMLElement;
  readonly #what: string;
  #all = false;

  /** @param what the rows' name, in the plural */
  constructor(button: string, what: string, onChange: () => void) {
    this.#button = byId(button);
    this.#what = what;
    this.#button.addEventListener('click', () => {
      this.#all = !this.#all;
      onChange();
    });
  }

  /** The items to show now. */
  first<T>(items: readonly T[]): readonly T[] {
    set(this.#button, 'hidden', items.length <= shown);
    set(this.#button, 'aria-expanded', String(this.#all));
    say(this.#button, this.#all ? 'Show fewer' : `Show all ${items.length} ${this.#what}`);
    return this.#all ? items : items.slice(0, shown);
  }
}
