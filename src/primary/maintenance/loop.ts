/**
 * Keeps the maintenance state: the only place that replaces it. Events are queued, so that an effect that causes
 * another event never sees a state half changed.
 */
import type { Effect, Event, Rules, State, Timer } from './state.ts';
import { step } from './step.ts';

export class MaintenanceLoop {
  #state: State;
  readonly #rules: Rules;
  readonly #run: (effect: Effect, state: State, before: State) => void;
  readonly #queue: Event[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #busy = false;

  /** `run` carries out an effect of the step from `before` to `state`; it may dispatch, which takes its turn. */
  constructor(initial: State, rules: Rules, run: (effect: Effect, state: State, before: State) => void) {
    this.#state = initial;
    this.#rules = rules;
    this.#run = run;
    const { operator } = initial;
    if (typeof operator?.until === 'number') this.#arm({ kind: 'operator', until: operator.until }, operator.until);
  }

  get state(): State {
    return this.#state;
  }

  dispatch(event: Event): void {
    this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const before = this.#state;
        const { state, effects } = step(before, next, Date.now(), this.#rules);
        this.#state = state;
        for (const effect of effects) {
          if (effect.type === 'timer') this.#arm(effect.timer, effect.at);
          else this.#run(effect, state, before);
        }
      }
    } finally {
      this.#busy = false;
    }
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #arm(timer: Timer, at: number): void {
    // setTimeout takes at most 2^31-1 ms; a hold may well be longer.
    const delay = Math.min(Math.max(0, at - Date.now()), 2 ** 31 - 1);
    const handle = setTimeout(() => {
      this.#timers.delete(handle);
      if (Date.now() < at) this.#arm(timer, at);
      else this.dispatch({ type: 'timeout', timer });
    }, delay);
    handle.unref(); // a deadline alone keeps no process alive
    this.#timers.add(handle);
  }
}
