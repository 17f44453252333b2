/**
 * What operators ask of all hosts of a cluster: to hold, to hold once all are at rest, to open.
 *
 * A caller who waits stands in the site document as such: where he gives up, or his host goes, the hold goes with the last of them.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { hostsNotAtRest, isQuiesced, isStranded, type HostRef } from '../../cluster/document.ts';
import type { SiteEvent } from '../../cluster/events.ts';
import { isIn } from '../../cluster/member.ts';
import type { Answer } from '../../cluster/store.ts';
import { QuiesceError } from '../../errors.ts';
import type { HoldChange, ScheduledHold } from '../../protocol/hold/operator-hold.ts';
import type { WaitingRequest } from '../../protocol/api/runs.ts';
import type { HoldOrders, Wait } from '../maintenance/holds/operator-holds.ts';
import { callerGone, holdStays, holdTakenBack, outcomeOf } from '../maintenance/holds/hold-outcome.ts';
import { notAtRest, stillInFlight } from '../maintenance/holds/still-in-flight.ts';
import { order, unreachable } from './unreachable.ts';
import type { SiteAgreement } from './site-agreement.ts';

export interface ClusterHoldsDeps {
  readonly agreement: Pick<SiteAgreement, 'host' | 'waiters' | 'changes'>;
  /** Of this host. */
  readonly waitingFor: () => readonly WaitingRequest[];
  readonly isStopping: () => boolean;
  /** ms */
  readonly drainTimeout: () => number;
}

/** How soon a hold that has to wait is tried again, ms. */
const again = 500;

type Outcome = 'at-rest' | 'ended' | 'stopping' | 'out';

export class ClusterHolds implements HoldOrders {
  readonly #deps: ClusterHoldsDeps;

  constructor(deps: ClusterHoldsDeps) {
    this.#deps = deps;
  }

  /** @throws QuiesceError `database-unavailable`, as all of these */
  async hold(change: HoldChange): Promise<void> {
    await this.#write((ref) => ({ type: 'hold', ref, change, waiter: null }));
  }

  async schedule(hold: ScheduledHold): Promise<void> {
    await this.#write((ref) => ({ type: 'schedule', ref, hold }));
  }

  async unhold(): Promise<void> {
    const { site } = this.#deps.agreement.host.member;
    const run = site?.run ?? null;
    const releases = run !== null && isStranded(site!, run) ? { releases: run.id } : {};
    await this.#write((ref) => ({ type: 'unhold', ref, ...releases }));
  }

  /** On or off is decided by what is known now, before anything is tried. */
  toggle(reason: string): Promise<void> {
    const isHeld = (this.#deps.agreement.host.member.site?.operator ?? null) !== null;
    return isHeld ? this.unhold() : this.hold({ reason, lasts: null, by: null });
  }

  /**
   * Resolves when every host is at rest under the hold.
   *
   * @throws QuiesceError `drain-timeout`, with what did not finish here and the hosts that are not at rest; `hold-ended`; `stopping`
   */
  async holdAtRest(change: HoldChange, { timeout = this.#deps.drainTimeout(), keep, signal }: Wait): Promise<void> {
    const { waiters, changes } = this.#deps.agreement;
    const waiter = keep ? null : randomUUID();
    if (waiter !== null) waiters.add(waiter);
    try {
      const { site } = await this.#write((ref) => ({ type: 'hold', ref, change, waiter }));
      const since = site.operator?.since;
      const look = (): Outcome | null => this.#look(since);
      const outcome = await outcomeOf(look, (listener) => changes.onChange(listener), timeout, signal);
      if (outcome !== 'at-rest') throw await this.#failure(outcome, timeout, waiter);
    } finally {
      // Where it still stands for him alone, this host takes it back, now or once MongoDB answers.
      if (waiter !== null && waiters.delete(waiter)) this.#deps.agreement.host.poke();
    }
  }

  #look(since: number | undefined): Outcome | null {
    const { member } = this.#deps.agreement.host;
    if (this.#deps.isStopping()) return 'stopping';
    if (!isIn(member)) return 'out';
    if (member.site!.operator?.since !== since) return 'ended';
    return isQuiesced(member.site!) ? 'at-rest' : null;
  }

  async #failure(
    outcome: Exclude<Outcome, 'at-rest'> | 'timeout' | 'gone',
    timeout: number,
    waiter: string | null,
  ): Promise<QuiesceError> {
    switch (outcome) {
      case 'timeout':
        return this.#overdue(timeout, waiter);
      case 'out':
        return unreachable('it is not in the cluster any more');
      case 'ended':
        return new QuiesceError('hold-ended', 'The hold was ended before every host had come to rest.');
      case 'stopping':
        return new QuiesceError('stopping', 'This host was stopped before every host had come to rest.');
      case 'gone':
        return callerGone();
      default:
        return outcome satisfies never;
    }
  }

  async #overdue(timeout: number, waiter: string | null): Promise<QuiesceError> {
    const { host, waiters } = this.#deps.agreement;
    const waitingFor = this.#deps.waitingFor();
    const site = host.member.site!;
    const names = notAtRest(hostsNotAtRest(site, site.epoch));
    let what = holdStays;
    let held = true;
    if (waiter !== null) {
      waiters.delete(waiter);
      const left = await this.#write((ref) => ({ type: 'give-up', ref, waiter })).catch(() => null);
      held = left !== null && left.site.operator !== null;
      if (!held) what = left === null ? 'the hold is taken back as soon as MongoDB answers' : holdTakenBack;
    }
    const inFlight = stillInFlight(waitingFor, ({ path }) => path);
    const atWork = site.run === null || site.run.epoch === null ? '' : ` Run ${site.run.id} is at work.`;
    return new QuiesceError(
      'drain-timeout',
      `After ${timeout} ms the hosts had not all come to rest: ${what}.${names}${inFlight}${atWork}`,
      { extra: { waitingFor, held } },
    );
  }

  async #write(event: (ref: HostRef) => SiteEvent): Promise<Answer> {
    const { host } = this.#deps.agreement;
    let answer = await order(host, event(host.member.ref));
    // The document has just taken the place of one that was lost: a pause has to wait until no lease of that is left.
    while (answer.refused === 'not-yet') {
      await delay(again);
      answer = await order(host, event(host.member.ref));
    }
    return answer;
  }
}
