/**
 * Keeps the maintenance state: the only place that replaces it. Events are queued, so that an effect that causes
 * another event never sees a half-changed state.
 */
import { afterReading } from '../../after-reading.ts';
import type { Effect, Event, Rules, State, Time, Timer } from './machine/state.ts';
import { step } from './machine/step.ts';
import { carryOutEach, Turns } from '../turns.ts';

/** How often the start and the end of an operator hold are checked, ms: the wall clock may be set in between. */
const look = 1_000;
/** The limit of setTimeout, ms. */
const longest = 2 ** 31 - 1;

export interface LoopSeams {
  /** Carries out an effect of the step from `before` to `state`. It may dispatch: such an event waits for its turn. */
  readonly run: (effect: Effect, state: State, before: State) => void;
  /** After each step and its effects. */
  readonly stepped?: (state: State) => void;
  /** Called if an effect throws. The other effects of its step are still carried out: the state has changed already. */
  readonly onError: (error: unknown, effect: Effect) => void;
  readonly now?: () => Time;
}

export class MaintenanceLoop {
  #state: State;
  readonly #rules: Rules;
  readonly #seams: LoopSeams;
  readonly #now: () => Time;
  readonly #turns = new Turns<Event>((event) => this.#take(event));
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(initial: State, rules: Rules, seams: LoopSeams) {
    this.#state = initial;
    this.#rules = rules;
    this.#seams = seams;
    this.#now = seams.now ?? timeNow;
    const { operator, scheduled } = initial;
    if (typeof operator?.until === 'number') this.#arm({ kind: 'operator', until: operator.until }, operator.until);
    if (scheduled !== null) this.#arm({ kind: 'scheduled', at: scheduled.at }, scheduled.at);
  }

  get state(): State {
    return this.#state;
  }

  /** @throws Error on a move that no table lists, after the waiting events were handled */
  dispatch(event: Event): void {
    this.#turns.add(event);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #take(event: Event): void {
    const before = this.#state;
    const { state, effects } = step(before, event, this.#now(), this.#rules);
    this.#state = state;
    const carryOut = (effect: Effect): void => {
      if (effect.type === 'timer') this.#arm(effect.timer, effect.at);
      else this.#seams.run(effect, state, before);
    };
    carryOutEach(effects, carryOut, this.#seams.onError);
    this.#seams.stepped?.(state);
  }

  #arm(timer: Timer, at: number): void {
    const byWall = timer.kind === 'operator' || timer.kind === 'scheduled';
    const left = (): number => at - (byWall ? this.#now().wall : this.#now().monotonic);
    const delay = Math.min(Math.max(0, Math.ceil(left())), byWall ? look : longest);
    // A worker whose message is still unread is not late.
    const handle = afterReading(delay, () => {
      if (!this.#timers.delete(handle)) return; // closed since the timer ran
      if (left() > 0) this.#arm(timer, at);
      else this.dispatch({ type: 'timeout', timer });
    });
    handle.unref(); // a deadline alone keeps no process alive
    this.#timers.add(handle);
  }
}

export function timeNow(): Time {
  return { wall: Date.now(), monotonic: performance.now() };
}
