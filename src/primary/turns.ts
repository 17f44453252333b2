/** Handles events one after another: an event that is added while another is handled waits for its turn. */
export class Turns<Event> {
  readonly #take: (event: Event) => void;
  readonly #queue: Event[] = [];
  #busy = false;

  constructor(take: (event: Event) => void) {
    this.#take = take;
  }

  /** Rethrows the first error of a handler, after all waiting events were handled. */
  add(event: Event): void {
    this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    const thrown: unknown[] = [];
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      try {
        this.#take(next);
      } catch (error) {
        thrown.push(error);
      }
    }
    this.#busy = false;
    if (thrown.length > 0) throw thrown[0];
  }
}

/** Carries out each effect of a step, even if another one throws: the state is already the new one. */
export function carryOutEach<Effect>(
  effects: readonly Effect[],
  carryOut: (effect: Effect) => void,
  onError: (error: unknown, effect: Effect) => void,
): void {
  for (const effect of effects) {
    try {
      carryOut(effect);
    } catch (error) {
      onError(error, effect);
    }
  }
}
