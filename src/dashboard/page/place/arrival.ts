/** Scrolls to what the address names, once, as soon as it is drawn; not if the reader has moved by then. */
import { formatAddress, type Address } from './address.ts';
import { byId } from '../parts/dom.ts';
import type { Model } from '../live/model.ts';
import type { Navigation } from './navigation.ts';

export class Arrival {
  #address: Address | null;

  constructor({ address }: Navigation) {
    this.#address = formatAddress({ ...address, range: null }) === '/' ? null : address;
    for (const event of ['wheel', 'touchmove', 'keydown', 'pointerdown'])
      addEventListener(event, () => (this.#address = null), { once: true, passive: true });
  }

  show(model: Model): void {
    if (this.#address === null || model.status === null) return;
    const place = placeOf(this.#address, model);
    if (place === null) return;
    this.#address = null;
    place.scrollIntoView({ block: place.matches('tr') ? 'center' : 'start' });
  }
}

/** Null while what is named is not drawn yet. */
function placeOf({ runs, workers, at }: Address, { trusted, log: lines }: Model): Element | null {
  const [run] = runs;
  if (run !== undefined) return document.querySelector(`#run-rows [data-key="${CSS.escape(run)}"]`);
  if (workers.length > 0) return document.querySelector('#worker-rows [data-open]');
  const first = lines[0];
  const isInLog = trusted && first !== undefined && at !== null && new Date(first.time).getTime() <= at;
  return byId(isInLog || at === null ? 'log' : 'pauses');
}
