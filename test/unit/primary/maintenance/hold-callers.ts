/** Those who ask for the operator hold, and may give up before the cluster is at rest. */
import type { Event, State } from '#quiesce/primary/maintenance/state.js';

interface Model {
  readonly state: State;
  dispatch(event: Event): void;
}

export class HoldCallers {
  readonly #model: Model;
  /** Their answer and the end of their patience can cross. */
  readonly #waiting: number[] = [];
  /** Since when somebody wants the hold in any case. */
  #firm: number | null = null;
  #last = 0;

  constructor(model: Model) {
    this.#model = model;
  }

  /** A new caller; `waits` until the cluster is at rest. */
  hold(lasts: number | null, waits: boolean): void {
    const waiter = waits ? ++this.#last : null;
    if (waiter !== null) this.#waiting.push(waiter);
    this.#model.dispatch({ type: 'hold', reason: 'test', lasts, by: null, waiter });
    if (!waits) this.#firm = this.#model.state.operator?.since ?? null;
  }

  /** The time of a caller is over, or its connection. */
  giveUp(index: number): void {
    const [waiter] = this.#waiting.splice(index, 1);
    if (waiter === undefined) return;
    const { operator } = this.#model.state;
    this.#model.dispatch({ type: 'give-up', waiter });
    if (operator !== null && operator.since === this.#firm && this.#model.state.operator === null)
      throw new Error('L3: a caller who gave up ended the hold of another');
  }
}
