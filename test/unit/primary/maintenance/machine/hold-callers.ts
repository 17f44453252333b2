/**
 * Those who ask for the operator hold, now or later, and may give up before the cluster is at rest; and what a restart
 * would know of it.
 */
import { durable } from '#quiesce/primary/maintenance/machine/durable-hold.js';
import type { Event, Rules, ScheduledHold, State, Timer } from '#quiesce/primary/maintenance/machine/state.js';

interface Model {
  readonly state: State;
  readonly rules: Rules;
  dispatch(event: Event): void;
}

export class HoldCallers {
  readonly #model: Model;
  /** Their answer and the end of their patience can cross. */
  readonly #waiting: number[] = [];
  /** Since when somebody wants the hold in any case. */
  #firm: number | null = null;
  #last = 0;
  /** What nobody has ended and whose time has not come. */
  #scheduled: ScheduledHold | null = null;
  /** What was written last. */
  #written: { operator: object | null; scheduled: ScheduledHold | null } = { operator: null, scheduled: null };

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

  schedule(at: number, lasts: number | null): void {
    this.#scheduled = { at, lasts, reason: null, by: null };
    this.#model.dispatch({ type: 'schedule', hold: this.#scheduled });
  }

  unhold(): void {
    this.#scheduled = null;
    this.#model.dispatch({ type: 'unhold' });
    const { operator, scheduled } = this.#model.state;
    if (operator !== null || scheduled !== null) throw new Error('L1: off has left a hold, now or later');
  }

  fire(timer: Timer): void {
    const due = timer.kind === 'scheduled' && this.#scheduled?.at === timer.at ? this.#scheduled : null;
    if (due !== null) this.#scheduled = null;
    const before = this.#model.state.operator;
    this.#model.dispatch({ type: 'timeout', timer });
    const { operator, phase } = this.#model.state;
    if (due === null || due.lasts === 1) return; // a moment has always passed by now
    if (operator === null || phase === 'serving')
      throw new Error('S1: the time of a scheduled hold came, and it serves');
    const [end, oldEnd] = [operator.until ?? Infinity, before === null ? 0 : (before.until ?? Infinity)];
    if (end < Math.max(oldEnd, due.lasts === null ? Infinity : due.at + due.lasts))
      throw new Error('S1: of two holds the shorter one counts');
  }

  persist(): void {
    this.#written = durable(this.#model.state, 0, this.#model.rules);
  }

  /** To be called whenever a step has been carried out. */
  check(): void {
    const { state } = this.#model;
    if (state.scheduled?.at !== this.#scheduled?.at) throw new Error('L1: a scheduled hold was lost, or comes twice');
    const { operator, scheduled } = durable(state, 0, this.#model.rules);
    if (scheduled !== this.#written.scheduled) throw new Error('L1: a restart would not know what is scheduled');
    if (state.run?.exec?.keepOnFailure !== true && (operator === null) !== (this.#written.operator === null))
      throw new Error('S1: a restart would not know whether an operator holds');
  }
}
