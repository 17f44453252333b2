/**
 * How a site document begins. Where one was dropped, or restored from a backup, what the hosts remember of the newest one is
 * put in its place, under a new identity, so that each joins again, shut. Pure.
 *
 * Those that the document has forgotten may have open gates until their leases end, so no pause begins before that.
 */
import { mayStillWork, type Site, type SiteRules, type SiteRun } from './document.ts';
import { mergedTicks } from './site-ticks.ts';

/** @param now null where no cluster can have been here before */
export function newSite(identity: string, epoch: number, now: number | null): Site {
  const nothing = { operator: null, scheduled: null, reload: null, run: null, hosts: {} };
  const site: Site = { identity, version: 1, epoch, ...nothing };
  return now === null ? site : { ...site, founded: now };
}

/** Whether the run may have written a part: then it is not ended, but finished by a host that has its feed. */
export function isHalfDone({ kind, stage, epoch }: SiteRun): boolean {
  return kind === 'sync' && stage === 'running' && epoch !== null;
}

/** Whether it stays in the document when its owner is gone. */
export function outlivesOwner(run: SiteRun): boolean {
  return isHalfDone(run) || mayStillWork(run);
}

/** Whether the document is not the successor of the newest that was seen. @param isWritten it has just been written to */
export function isForgetful(site: Site, seen: Site, isWritten: boolean): boolean {
  if (site.identity !== seen.identity) return site.epoch < seen.epoch;
  return isWritten ? site.version <= seen.version : site.version < seen.version;
}

/** Null where another host has done that before, or where the document is newer than what was seen. */
export function refounded(site: Site, seen: Site, identity: string, now: number): Site | null {
  if (!isForgetful(site, seen, false)) return null;
  const operator = site.identity === seen.identity ? seen.operator : (site.operator ?? seen.operator);
  return {
    ...site,
    identity,
    version: Math.max(site.version, seen.version) + 1,
    epoch: Math.max(site.epoch, seen.epoch) + 1,
    // Those who waited for a hold stood there with incarnations that are over.
    operator: operator !== null && operator.waiters.length > 0 ? null : operator,
    scheduled: site.scheduled ?? seen.scheduled,
    reload: null,
    run: seen.run !== null && outlivesOwner(seen.run) ? seen.run : null,
    hosts: {},
    ticks: mergedTicks(site.ticks, seen.ticks),
    founded: now,
  };
}

/** Whether no host of a document that was here before can have open gates any more. */
export function isSettled({ founded }: Site, now: number, { lease, evictionGrace, margin }: SiteRules): boolean {
  return founded === undefined || now > founded + lease + evictionGrace + margin;
}
