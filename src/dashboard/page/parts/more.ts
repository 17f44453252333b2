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

  /** Returns the items to show now. @param isWanted which items are shown in any case, such as the one that a link names */
  first<T>(items: readonly T[], isWanted: (item: T) => boolean = () => false): readonly T[] {
    set(this.#button, 'hidden', items.length <= shown);
    set(this.#button, 'aria-expanded', String(this.#all));
    say(this.#button, this.#all ? 'Show fewer' : `Show all ${items.length} ${this.#what}`);
    return this.#all ? items : items.filter((item, index) => index < shown || isWanted(item));
  }
}
