/** Operators' holds on all hosts. Pure: a part of `siteStep`, the one function that changes the site document. */
import { begunHold, changedHold, holdAfterFailure, isUnconditional } from '../protocol/hold/operator-hold.ts';
import {
  isQuiesced,
  isSameRef,
  isStranded,
  mayStillWork,
  pauseOf,
  type ClusterHold,
  type HostRef,
  type Site,
  type SiteRules,
  type SiteRun,
  type Waiter,
} from './document.ts';
import type { EventOf, Refusal } from './events.ts';
import { isSettled } from './founding.ts';

export function hold(
  site: Site,
  { ref, change, waiter }: EventOf<'hold'>,
  now: number,
  rules: SiteRules,
): Partial<Site> | Refusal {
  const { operator } = site;
  const others = operator?.waiters.filter((each) => each.id !== waiter) ?? [];
  const waiters =
    waiter === null || isUnconditional(operator, operator?.waiters.length ?? 0)
      ? []
      : [...others, { ...ref, id: waiter }];
  if (!mayPause(site, now, rules)) return 'not-yet';
  return held(site, { ...operator, ...changedHold(operator, change, now), waiters });
}

/**
 * Whether a hold may start a pause. In a new document it may not at first: hosts that are missing from it may still
 * serve.
 */
function mayPause(site: Site, now: number, rules: SiteRules): boolean {
  return pauseOf(site) !== null || isSettled(site, now, rules);
}

/**
 * Sets the hold. If the gates are open it starts a pause of its own; else it joins the current one, for which hosts may
 * be at rest already.
 */
function held(site: Site, operator: ClusterHold): Partial<Site> {
  return pauseOf(site) === null ? { operator, epoch: site.epoch + 1 } : { operator };
}

export function giveUp({ operator }: Site, { ref, waiter }: EventOf<'give-up'>): Partial<Site> | Refusal {
  const left = withoutWaiters(operator, (each) => each.id === waiter && isSameRef(each, ref));
  return left === operator ? 'over' : { operator: left };
}

/** Makes the hold unconditional once all hosts are at rest: what its waiters waited for has happened. */
export function settled(site: Site): Site {
  const { operator } = site;
  if (operator === null || operator.waiters.length === 0 || !isQuiesced(site)) return site;
  return { ...site, operator: { ...operator, waiters: [] } };
}

/** The hold after a host was taken out: the waiters of that host go with it. */
export function holdWithout(operator: ClusterHold | null, gone: HostRef): ClusterHold | null {
  return withoutWaiters(operator, (each) => isSameRef(each, gone));
}

/** The hold without these waiters: it ends with the last of them. The same object if none of them was there. */
function withoutWaiters(operator: ClusterHold | null, isGone: (waiter: Waiter) => boolean): ClusterHold | null {
  const left = operator?.waiters.filter((each) => !isGone(each)) ?? [];
  if (operator === null || left.length === operator.waiters.length) return operator;
  return left.length === 0 ? null : { ...operator, waiters: left };
}

/** `maintenance off`: ends the hold, the scheduled hold, and an `exec` whose host is gone. */
export function unhold(site: Site, { releases }: EventOf<'unhold'>): Partial<Site> | Refusal {
  const { operator, scheduled, run } = site;
  const isReleased = run !== null && run.id === releases && isStranded(site, run) && mayStillWork(run);
  if (operator === null && scheduled === null && !isReleased) return 'over';
  return { operator: null, scheduled: null, ...(isReleased ? { run: null } : {}) };
}

/** Ends a hold that has reached its time limit. */
export function lapse({ operator }: Site, now: number): Partial<Site> | Refusal {
  if (operator === null) return 'over';
  return operator.until === null || operator.until > now ? 'not-yet' : { operator: null };
}

/** Starts the scheduled hold when it is due; drops it if its end has passed as well. */
export function beginScheduled(site: Site, now: number, rules: SiteRules): Partial<Site> | Refusal {
  const { scheduled, operator } = site;
  if (scheduled === null) return 'over';
  if (scheduled.at > now || !mayPause(site, now, rules)) return 'not-yet';
  const begun = begunHold(scheduled, operator, now);
  return { scheduled: null, ...(begun === null ? {} : held(site, { ...begun, waiters: [] })) };
}

/** The hold that replaces an `exec` that is not known to have succeeded. */
export function heldInstead(
  operator: ClusterHold | null,
  keeps: NonNullable<SiteRun['keeps']>,
  now: number,
): ClusterHold {
  return { ...holdAfterFailure(operator, keeps, now), waiters: [] };
}
