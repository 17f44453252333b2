/**
 * What operators ask of the maintenance state: to hold, to hold once the cluster is at rest, to open.
 *
 * A caller who waits gets one answer: at rest, and the hold is durable where there is room for it; or an error, and the hold has been taken back,
 * unless somebody else wants it.
 */
import { QuiesceError } from '../../errors.ts';
import type { Pass } from '../../protocol/pass.ts';
import type { WaitingRequest } from '../../protocol/runs.ts';
import { atRest, holds, type Event, type ScheduledHold, type State } from './state.ts';
import { stillInFlight } from './still-in-flight.ts';

export interface HoldChange {
  /** Without one it keeps the one that it has. */
  readonly reason: string | null;
  /** It ends by itself after so many ms; without, it keeps the end that it has. */
  readonly lasts: number | null;
  readonly by: string | null;
  /** Without one it keeps the one that it has. */
  readonly pass?: Pass;
}

export interface Wait {
  /** How long, ms; default the drain timeout. */
  readonly timeout?: number;
  /** The hold stays when the time is over. */
  readonly keep: boolean;
  /** Aborted where the caller has gone, and wants the hold no more. */
  readonly signal?: AbortSignal;
}

export interface OperatorHoldsDeps {
  readonly dispatch: (event: Event) => void;
  readonly state: () => State;
  /** Calls back after anything may have changed; returns how to stop it. */
  readonly onChange: (listener: () => void) => () => void;
  /** Resolves when the hold is written, or cannot be: then it stands all the same, and the status says so. */
  readonly written: () => Promise<void>;
  readonly waitingFor: (state: State) => readonly WaitingRequest[];
  /** ms */
  readonly drainTimeout: () => number;
}

type Outcome = 'at-rest' | 'ended' | 'stopping' | 'timeout' | 'gone';

export class OperatorHolds {
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

  /** It begins later. Resolves when it would survive a restart, or cannot be written. */
  schedule(hold: ScheduledHold): Promise<void> {
    this.#deps.dispatch({ type: 'schedule', hold });
    return this.#deps.written();
  }

  unhold(): Promise<void> {
    this.#deps.dispatch({ type: 'unhold' });
    return this.#deps.written();
  }

  toggle(reason: string): void {
    this.#deps.dispatch({ type: 'toggle', reason });
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
    const { state, onChange } = this.#deps;
    return new Promise((resolve) => {
      const settle = (outcome: Outcome): void => {
        clearTimeout(timer);
        forget();
        signal?.removeEventListener('abort', onAbort);
        resolve(outcome);
      };
      const look = (): void => {
        const now = state();
        // One that was ended and begun again meanwhile is somebody else's.
        if (now.operator?.since !== since) settle('ended');
        else if (now.stopping) settle('stopping');
        else if (atRest(now)) settle('at-rest');
      };
      const onAbort = (): void => settle('gone');
      const timer = setTimeout(() => settle('timeout'), timeout);
      const forget = onChange(look);
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted) onAbort();
      else look();
    });
  }

  #failure(outcome: Exclude<Outcome, 'at-rest'>, timeout: number, waiter: number): QuiesceError {
    const state = this.#deps.state();
    switch (outcome) {
      case 'timeout': {
        const { waiters, run } = state;
        const waitingFor = this.#deps.waitingFor(state);
        const goes = waiters.has(waiter) && waiters.size === 1;
        const what = goes ? 'the hold was taken back' : 'the hold stays, and `quiesce maintenance off` ends it';
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
        return new QuiesceError('hold-ended', 'Whoever asked for the hold has gone.');
      default:
        return outcome satisfies never;
    }
  }
}
