/**
 * Creates a site document, and replaces one that was dropped or restored from a backup. Pure. The replacement takes
 * what the hosts remember of the newest document and gets a new identity, so that each host joins again with shut
 * gates.
 *
 * Hosts that are missing from the new document may have open gates until their leases end, so no pause begins before
 * that.
 */
import { mayStillWork, type Site, type SiteRules, type SiteRun } from './document.ts';
import { mergedTicks } from './site-ticks.ts';

/** @param now null if there was no cluster before */
export function newSite(identity: string, epoch: number, now: number | null): Site {
  const nothing = { operator: null, scheduled: null, reload: null, run: null, hosts: {} };
  const site: Site = { identity, version: 1, epoch, ...nothing };
  return now === null ? site : { ...site, founded: now };
}

/**
 * Whether the run may have written a part of its feed. Such a run is not ended: a host that has the feed finishes it.
 */
export function isHalfDone({ kind, stage, epoch }: SiteRun): boolean {
  return kind === 'sync' && stage === 'running' && epoch !== null;
}

/** Whether the run stays in the document when its owner is gone. */
export function outlivesOwner(run: SiteRun): boolean {
  return isHalfDone(run) || mayStillWork(run);
}

/**
 * Whether `site` is older than the newest document that this host has seen: it was dropped or restored.
 *
 * @param isWritten this host has just written `site`, so its version must be above the one that was seen
 */
export function isForgetful(site: Site, seen: Site, isWritten: boolean): boolean {
  // A successor has an epoch above every one that its founder has seen. A document with the same epoch was created without
  // knowing the one that was seen: by a host that has just started, or from an older view.
  if (site.identity !== seen.identity) return site.epoch <= seen.epoch;
  return isWritten ? site.version <= seen.version : site.version < seen.version;
}

/**
 * The replacement for an outdated document; null if `site` is not outdated, for instance because another host has
 * replaced it.
 */
export function refounded(site: Site, seen: Site, identity: string, now: number): Site | null {
  if (!isForgetful(site, seen, false)) return null;
  const operator = site.identity === seen.identity ? seen.operator : (site.operator ?? seen.operator);
  return {
    ...site,
    identity,
    version: Math.max(site.version, seen.version) + 1,
    epoch: Math.max(site.epoch, seen.epoch) + 1,
    // Its waiters were named by incarnations that are over, so the hold goes with them.
    operator: operator !== null && operator.waiters.length > 0 ? null : operator,
    scheduled: site.scheduled ?? seen.scheduled,
    reload: null,
    run: seen.run !== null && outlivesOwner(seen.run) ? seen.run : null,
    hosts: {},
    ticks: mergedTicks(site.ticks, seen.ticks),
    founded: now,
  };
}

/** Whether no host of the lost document can still have open gates. */
export function isSettled({ founded }: Site, now: number, { lease, evictionGrace, margin }: SiteRules): boolean {
  return founded === undefined || now > founded + lease + evictionGrace + margin;
}
