/**
 * What operators can request of the maintenance state: hold, hold once the cluster is at rest, open.
 *
 * A caller who waits gets one answer: at rest, and the hold is durable if the disk has room; or an error, and the hold
 * is taken back unless another caller wants it.
 */
import { QuiesceError } from '../../../errors.ts';
import type { HoldChange } from '../../../protocol/hold/operator-hold.ts';
import type { WaitingRequest } from '../../../protocol/api/runs.ts';
import { atRest, holds, type Event, type ScheduledHold, type State } from '../machine/state.ts';
import { callerGone, holdStays, holdTakenBack, outcomeOf } from './hold-outcome.ts';
import { stillInFlight } from './still-in-flight.ts';

export interface Wait {
  /** How long to wait, ms; default: the drain timeout. */
  readonly timeout?: number;
  /** Keep the hold after the timeout. */
  readonly keep: boolean;
  /** Aborted if the caller is gone and no longer wants the hold. */
  readonly signal?: AbortSignal;
}

/** Of one host, or of all hosts of a cluster. */
export interface HoldOrders {
  /** Resolves when the hold would survive a restart, or cannot be written. */
  hold(change: HoldChange): Promise<void>;
  /** It begins later. */
  schedule(hold: ScheduledHold): Promise<void>;
  unhold(): Promise<void>;
  toggle(reason: string): Promise<void>;
  /** Resolves when what it holds is at rest. */
  holdAtRest(change: HoldChange, wait: Wait): Promise<void>;
}

export interface OperatorHoldsDeps {
  readonly dispatch: (event: Event) => void;
  readonly state: () => State;
  /** Calls `listener` after anything may have changed. Returns a function that removes it. */
  readonly onChange: (listener: () => void) => () => void;
  /** Resolves when the hold is written, or cannot be: then it stands anyway, and the status says so. */
  readonly written: () => Promise<void>;
  readonly waitingFor: (state: State) => readonly WaitingRequest[];
  /** ms */
  readonly drainTimeout: () => number;
}

type Outcome = 'at-rest' | 'ended' | 'stopping' | 'timeout' | 'gone';

export class OperatorHolds implements HoldOrders {
  readonly #deps: OperatorHoldsDeps;
  #lastWaiter = 0;

  constructor(deps: OperatorHoldsDeps) {
    this.#deps = deps;
  }

  /** Resolves when the hold would survive a restart, or cannot be written. */
  hold(change: HoldChange): Promise<void> {
    this.#deps.dispatch({ type: 'hold', ...change, waiter: null });
    return this.#deps.written();
  }

  /** The hold starts later. Resolves when it would survive a restart, or cannot be written. */
  schedule(hold: ScheduledHold): Promise<void> {
    this.#deps.dispatch({ type: 'schedule', hold });
    return this.#deps.written();
  }

  unhold(): Promise<void> {
    this.#deps.dispatch({ type: 'unhold' });
    return this.#deps.written();
  }

  toggle(reason: string): Promise<void> {
    this.#deps.dispatch({ type: 'toggle', reason });
    return this.#deps.written();
  }

  /**
   * Resolves when the cluster is at rest under the hold.
   *
   * @throws QuiesceError `drain-timeout`, with the requests that did not finish; `hold-ended`; `stopping`
   */
  async holdAtRest(change: HoldChange, { timeout = this.#deps.drainTimeout(), keep, signal }: Wait): Promise<void> {
    const { dispatch, state, written } = this.#deps;
    const waiter = ++this.#lastWaiter;
    dispatch({ type: 'hold', ...change, waiter: keep ? null : waiter });
    const since = state().operator?.since;
    try {
      await written();
      const outcome = await this.#outcome(since, timeout, signal);
      if (outcome !== 'at-rest') throw this.#failure(outcome, timeout, waiter);
      await written();
    } catch (error) {
      dispatch({ type: 'give-up', waiter });
      throw error;
    }
  }

  #outcome(since: number | undefined, timeout: number, signal: AbortSignal | undefined): Promise<Outcome> {
    const look = (): Exclude<Outcome, 'timeout' | 'gone'> | null => {
      const now = this.#deps.state();
      // A hold that was ended and started again in between belongs to another caller.
      if (now.operator?.since !== since) return 'ended';
      if (now.stopping) return 'stopping';
      return atRest(now) ? 'at-rest' : null;
    };
    return outcomeOf(look, this.#deps.onChange, timeout, signal);
  }

  #failure(outcome: Exclude<Outcome, 'at-rest'>, timeout: number, waiter: number): QuiesceError {
    const state = this.#deps.state();
    switch (outcome) {
      case 'timeout': {
        const { waiters, run } = state;
        const waitingFor = this.#deps.waitingFor(state);
        const goes = waiters.has(waiter) && waiters.size === 1;
        const what = goes ? holdTakenBack : holdStays;
        const inFlight = stillInFlight(waitingFor, ({ path }) => path);
        const atWork = holds(run) ? ` Run ${run?.id} is at work.` : '';
        return new QuiesceError(
          'drain-timeout',
          `After ${timeout} ms the cluster had not come to rest: ${what}.${inFlight}${atWork}`,
          { extra: { waitingFor, held: !goes } },
        );
      }
      case 'ended':
        return new QuiesceError('hold-ended', 'The hold was ended before the cluster had come to rest.');
      case 'stopping':
        return new QuiesceError('stopping', 'The cluster was stopped before it had come to rest.');
      case 'gone':
        return callerGone();
      default:
        return outcome satisfies never;
    }
  }
}
