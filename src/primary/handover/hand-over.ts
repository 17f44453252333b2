/**
 * The side of the primary that is replaced.
 *
 *   idle      it serves.
 *   waiting   a run or a reload goes on, and the handover waits for it. From here on no run begins.
 *   booting   its successor boots beside it. From here on no reload begins: the successor has read the configuration.
 *   yielding  the successor could take over at once. Where requests are being drained, that is waited for.
 *   saving    no order is taken any more, and what is under way is written.
 *   yielded   everything is on the disk, and nothing more is written. Its workers serve on.
 *   left      the successor serves: what is in flight is finished, and this primary ends.
 *
 * Before `yielded` it goes back to `idle`: the successor cannot boot, the caller has gone, a stop.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isErrorCode, QuiesceError, toQuiesceError } from '../../errors.ts';
import type { Build } from '../../protocol/keeper/messages.ts';
import { runInProgress } from '../../protocol/workers/run-in-progress.ts';
import { checkMove } from '../../moves.ts';
import type { KeeperLink, Order } from '../kept/link.ts';
import type { State } from '../maintenance/machine/state.ts';

export const handOverMoves = {
  idle: ['waiting'],
  waiting: ['booting', 'idle'],
  booting: ['yielding', 'idle'],
  yielding: ['saving', 'idle'],
  saving: ['yielded', 'idle'],
  yielded: ['left'],
  left: [],
} as const satisfies Record<string, readonly string[]>;
type Stage = keyof typeof handOverMoves;

/** How long a drain is waited for, ms: a successor holds the memory of a second site meanwhile. */
const longestDrain = 20_000;
const lookEvery = 20;

export interface HandOverDeps {
  readonly link: Pick<KeeperLink, 'send'> | null;
  /** Why this primary cannot be replaced; null where it can be. */
  readonly whyNot: () => QuiesceError | null;
  readonly coordinator: { readonly state: State; handOver(begun: boolean): void };
  /** A feed is compared, or uploaded for that. */
  readonly hasDryRun: () => boolean;
  readonly isReloading: () => boolean;
  /** Somebody waits here for a hold of all hosts. */
  readonly isWaitedFor: () => boolean;
  /** What is waited for by a drain, in words. */
  readonly waitingFor: () => string;
  /** Makes everything durable, and gives up the data directory. */
  readonly yield: () => Promise<void>;
  /** Resolves when no worker is left, with warnings of what that has cost. */
  readonly leave: () => Promise<readonly string[]>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

export interface Terms {
  readonly build: Build;
  /** A run that goes on is waited for. */
  readonly wait: boolean;
}

/** Its successor serves. */
export interface Left {
  /** The pid of the successor; null if that has gone again. */
  readonly pid: number | null;
  /** As {@link HandOverDeps.leave}. */
  readonly over: Promise<readonly string[]>;
}

export class HandOver {
  readonly #deps: HandOverDeps;
  #stage: Stage = 'idle';
  #stop = new AbortController();
  #hear: (order: Order) => void = () => {};

  constructor(deps: HandOverDeps) {
    this.#deps = deps;
  }

  /** The data directory is its successor's. */
  get hasYielded(): boolean {
    return this.#stage === 'yielded' || this.#stage === 'left';
  }

  /** Orders are written to the data directory. */
  get takesOrders(): boolean {
    return !this.hasYielded && this.#stage !== 'saving';
  }

  /** @throws QuiesceError `stopping` where an order would be lost: what it changes is not written any more */
  mustOwn(): void {
    if (this.takesOrders) return;
    throw new QuiesceError('stopping', 'Another primary is just taking over. Give the order again in a moment.');
  }

  /** @throws QuiesceError `stopping` where a reload would be lost: the successor may have read the configuration before */
  mayReload(): void {
    if (this.#stage === 'idle' || this.#stage === 'waiting') return;
    const what = 'Another primary is about to take over, and may have read the configuration already.';
    throw new QuiesceError('stopping', `${what} Reload again in a moment.`);
  }

  /** The keeper has said something. */
  order(order: Order): void {
    this.#hear(order);
  }

  /** This primary is stopped instead. */
  cancel(): void {
    this.#stop.abort();
  }

  /**
   * Resolves when the successor serves.
   *
   * @param gone aborted where nobody waits for it any more: then nothing changes, unless it is too late for that
   * @throws QuiesceError `not-replaceable`, `run-in-progress`, `drain-timeout`, or why the successor could not boot
   */
  async begin({ build, wait }: Terms, gone: AbortSignal): Promise<Left> {
    const { coordinator, isReloading, log, whyNot } = this.#deps;
    const why = whyNot() ?? (this.#stage === 'idle' ? null : isGoingOn());
    if (why !== null) throw why;
    const { run } = coordinator.state;
    if (this.#isBusy() && !wait) throw run === null ? dryRun() : runInProgress(run.id);
    this.#move('waiting');
    coordinator.handOver(true);
    const cancelled = AbortSignal.any([gone, this.#stop.signal]);
    try {
      if (run !== null) log.info({ run: run.id }, `the handover waits for run ${run.id}`);
      if (isReloading()) log.info('the handover waits for the reload that is going on');
      await this.#until(() => !this.#isBusy() && !isReloading(), cancelled);
      await this.#boot(build, cancelled);
      await this.#yield(cancelled);
    } catch (thrown) {
      const hasBegun = this.#stage !== 'waiting';
      this.#move('idle');
      coordinator.handOver(false);
      if (hasBegun) this.#deps.link?.send({ type: 'stay' });
      const error = this.#stop.signal.aborted ? isStopped() : gone.aborted ? callerGone() : toQuiesceError(thrown);
      log.warn({ reason: error.message }, 'the primary is not replaced');
      throw error;
    }
    return this.#leave();
  }

  async #boot(build: Build, cancelled: AbortSignal): Promise<void> {
    cancelled.throwIfAborted(); // an event that has passed comes to no listener
    this.#move('booting');
    this.#deps.log.info({ build }, 'a new primary is started beside this one');
    const prepared = new Promise<void>((resolve, reject) => {
      this.#hear = (order) => {
        if (order.type === 'successor-prepared') resolve();
        else if (order.type === 'successor-failed') reject(failed(order.error));
        else if (order.type === 'refused') reject(isGoingOn());
      };
      cancelled.addEventListener('abort', () => reject(callerGone()), { once: true });
    });
    this.#deps.link?.send({ type: 'replace', build });
    await prepared;
  }

  async #yield(cancelled: AbortSignal): Promise<void> {
    const { coordinator } = this.#deps;
    this.#move('yielding');
    let hasFailed: QuiesceError | null = null;
    this.#hear = (order) => {
      if (order.type === 'successor-failed') hasFailed = failed(order.error);
    };
    const isAtRest = (): boolean => {
      if (hasFailed !== null) throw hasFailed;
      const { phase, waiters } = coordinator.state;
      const isWaitedFor = waiters.size > 0 || this.#deps.isWaitedFor();
      return !this.#isBusy() && phase !== 'draining' && !isWaitedFor;
    };
    const late = AbortSignal.timeout(longestDrain);
    try {
      await this.#until(isAtRest, AbortSignal.any([cancelled, late]));
    } catch (error) {
      throw late.aborted && !cancelled.aborted ? isDraining(this.#deps.waitingFor()) : error;
    }
    this.#move('saving');
    await this.#deps.yield();
    this.#move('yielded');
  }

  #leave(): Promise<Left> {
    const { link, leave, log } = this.#deps;
    return new Promise((resolve) => {
      this.#hear = (order) => {
        if (order.type !== 'leave') return;
        this.#move('left');
        resolve({ pid: order.pid, over: leave() });
      };
      link?.send({ type: 'yielded' });
      log.info('the data directory is handed over to the successor');
    });
  }

  #isBusy(): boolean {
    const { run, unfinished } = this.#deps.coordinator.state;
    return run !== null || unfinished.length > 0 || this.#deps.hasDryRun();
  }

  async #until(condition: () => boolean, cancelled: AbortSignal): Promise<void> {
    for (; !condition(); await delay(lookEvery)) cancelled.throwIfAborted();
    cancelled.throwIfAborted();
  }

  #move(to: Stage): void {
    checkMove<Stage>(handOverMoves, 'the handover', this.#stage, to);
    this.#stage = to;
  }
}

function failed({ code, message }: Extract<Order, { type: 'successor-failed' }>['error']): QuiesceError {
  const known = isErrorCode(code) && code !== 'internal' ? code : 'boot-failed';
  return new QuiesceError(known, `The new primary did not come up, and nothing has changed: ${message}`);
}

function isStopped(): QuiesceError {
  return new QuiesceError('stopping', 'The app was stopped, so its primary is not replaced.');
}

function callerGone(): QuiesceError {
  return new QuiesceError('not-replaceable', 'Whoever asked for the handover has gone, so nothing was changed.');
}

function isGoingOn(): QuiesceError {
  const what = 'The primary is being replaced already, or the one before it still finishes what is in flight.';
  return new QuiesceError('not-replaceable', `${what} Try again when that has ended.`);
}

function dryRun(): QuiesceError {
  const what = 'A dry run is going on. Try again when it has ended, or wait for it with --wait.';
  return new QuiesceError('run-in-progress', what);
}

function isDraining(waitingFor: string): QuiesceError {
  const what = `The site did not come to rest within ${longestDrain / 1000} s, so the primary was not replaced.${waitingFor}`;
  return new QuiesceError('drain-timeout', what);
}
