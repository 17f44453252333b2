/**
 * The run in the site document, from claim to end. Pure: a part of `siteStep`, the one function that changes the
 * document.
 */
import { checkMove } from '../moves.ts';
import {
  areAllPast,
  isMember,
  isOverdue,
  isReady,
  isSameRef,
  isStranded,
  mayStillWork,
  siteMoves,
  type HostRef,
  type Site,
  type SiteRules,
  type SiteRun,
  type SiteStage,
} from './document.ts';
import { same, type EventOf, type Refusal } from './events.ts';
import { isHalfDone, isSettled, outlivesOwner } from './founding.ts';
import { heldInstead } from './site-holds.ts';

/**
 * How many the document keeps. A member misses none, as it has to be at rest for each; a host that was taken out may.
 */
const keptMirrored = 20;

type Change = Partial<Site> | Refusal;

export function claim(site: Site, { ref, run: id, kind, keeps }: EventOf<'claim'>): Change {
  const { run } = site;
  if (run !== null) return run.id === id ? same : 'run-in-progress';
  return { run: { id, kind, owner: named(site, ref), stage: 'claimed', epoch: null, ...(keeps && { keeps }) } };
}

export function prepare(site: Site, event: EventOf<'prepare'>): Change {
  return ofOwner(site, event, (run) => (run.stage === 'claimed' ? { run: move(run, 'preparing') } : same));
}

export function drain(site: Site, event: EventOf<'drain'>, now: number, rules: SiteRules): Change {
  const epoch = site.epoch + 1;
  return ofOwner(site, event, (run) => {
    if (run.stage === 'draining') return same;
    return isSettled(site, now, rules) ? { epoch, run: { ...move(run, 'draining'), epoch } } : 'not-yet';
  });
}

export function begin(site: Site, event: EventOf<'begin'>): Change {
  return ofOwner(site, event, (run) => {
    if (run.stage === 'running') return same;
    if (!isReady(site, run)) return 'not-yet';
    return { run: { ...move(run, 'running'), ...(event.shared === true ? { shared: true } : {}) } };
  });
}

export function end(site: Site, event: EventOf<'end'>, now: number): Change {
  return ofOwner(site, event, (run) => ({
    ...ended(site, run, event.failed === true, now),
    ...heard(site, event),
  }));
}

/** Written together with the end, so that every host knows the result before its gates open. */
function heard({ mirrored = [] }: Site, { ref, run, mirrored: outcome }: EventOf<'end'>): Partial<Site> {
  if (outcome === undefined) return {};
  return { mirrored: [...mirrored.slice(1 - keptMirrored), { run, host: ref.host, ...outcome }] };
}

/** Ends the run. A hold that is to stay is set in the same change, so that the gates do not open in between. */
function ended(site: Site, run: SiteRun, hasFailed: boolean, now: number): Partial<Site> {
  const stays = hasFailed && run.keeps !== undefined && run.stage === 'running';
  return stays ? { run: null, operator: heldInstead(site.operator, run.keeps, now) } : { run: null };
}

/**
 * The run after a host was taken out. A run that has written nothing ends with its owner, and so does an exclusive
 * handler, which ran in a worker of that host. A feed that is half written stays until another host finishes it. A
 * command stays, since no host knows whether it still runs.
 */
export function runWithout({ run }: Site, gone: HostRef): SiteRun | null {
  if (run === null || !isSameRef(run.owner, gone)) return run;
  return outlivesOwner(run) ? run : null;
}

/**
 * A host that was taken out while its command held the site joins again: the command has ended, or its primary has. It
 * counts as failed.
 */
export function onReturn(site: Site, host: string, now: number): Partial<Site> {
  const { run } = site;
  const isBack = run !== null && run.owner.host === host && isStranded(site, run) && mayStillWork(run);
  return isBack ? ended(site, run, true, now) : {};
}

/**
 * Changes owner and epoch, and sets every present host at rest for the new epoch: their gates have been shut since the
 * old one.
 */
export function takeOver(site: Site, { ref, run: id }: EventOf<'take-over'>, now: number, rules: SiteRules): Change {
  const { run } = site;
  if (run?.id !== id || !isHalfDone(run)) return 'over';
  if (isSameRef(run.owner, ref)) return same;
  if (isMember(site, run.owner)) return 'over';
  const present = Object.entries(site.hosts);
  if (!areAllPast(site, run.epoch!) || !isSettled(site, now, rules)) return 'not-yet';
  const epoch = site.epoch + 1;
  const hosts = Object.fromEntries(present.map(([name, host]) => [name, { ...host, rest: epoch }]));
  return { epoch, hosts, run: { ...run, owner: named(site, ref), epoch } };
}

/** Removes a run that no host has to finish, and whose owner is gone or has not renewed for long. */
export function bury(site: Site, { run: id }: EventOf<'bury'>, now: number, rules: SiteRules): Change {
  const { run } = site;
  if (run?.id !== id || outlivesOwner(run)) return 'over';
  return isStranded(site, run) || isOverdue(site, run, now, rules) ? { run: null } : 'over';
}

/** Removes a run whose owner is gone, on an operator's order, in whatever state it left the collection. */
export function abandon(site: Site, { run: id }: EventOf<'abandon'>): Change {
  return site.run?.id === id && isStranded(site, site.run) ? { run: null } : 'over';
}

function ofOwner(
  { run }: Site,
  { ref, run: id }: { ref: HostRef; run: string },
  change: (run: SiteRun) => Change,
): Change {
  return run?.id === id && isSameRef(run.owner, ref) ? change(run) : 'over';
}

/**
 * The owner with its name, which stays in the run when the host is gone: operators need to know which host to look for.
 */
function named({ hosts }: Site, ref: HostRef): SiteRun['owner'] {
  return { ...ref, name: hosts[ref.host]!.name };
}

function move(run: SiteRun, stage: SiteStage): SiteRun {
  checkMove<SiteStage>(siteMoves, `run ${run.id}`, run.stage, stage);
  return { ...run, stage };
}
