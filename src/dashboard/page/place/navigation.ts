/** Keeps the page's address and the browser's in step: each change is a step that Back takes back. */
import { formatAddress, home, parseAddress, type Address } from './address.ts';
import { byId } from '../parts/dom.ts';

export class Navigation {
  readonly #onChange: () => void;
  #address = parseAddress(location.search);

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    addEventListener('popstate', () => {
      this.#address = parseAddress(location.search);
      onChange();
    });
  }

  get address(): Address {
    return this.#address;
  }

  /** @param how `replace` for what changes with each key: Back would take back single letters */
  go(change: Partial<Address>, how: 'push' | 'replace' = 'push'): void {
    this.#address = { ...this.#address, ...change };
    const path = formatAddress(this.#address);
    if (path !== location.pathname + location.search) history[`${how}State`](null, '', path);
    this.#onChange();
  }

  /**
   * Makes a link a step within the page. With a modifier key the browser opens it as usual.
   *
   * @param place the id of the panel that shows it
   */
  follow(link: HTMLAnchorElement, change: Partial<Address>, place?: string): void {
    link.href = linkTo(change);
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.go(change);
      if (place !== undefined) byId(place).scrollIntoView({ block: 'center' });
    });
  }
}

/** A link that shows this, and everything else as usual. */
export function linkTo(change: Partial<Address>): string {
  return formatAddress({ ...home, ...change });
}
