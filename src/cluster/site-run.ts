/** What becomes of the run in the site document. Pure: part of the one function that changes it. */
import { checkMove } from '../moves.ts';
import {
  areAllPast,
  isMember,
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
import { same, type Refusal, type SiteEvent } from './events.ts';
import { isHalfDone, isSettled, outlivesOwner } from './founding.ts';
import { heldInstead } from './site-holds.ts';

/** How many of them the document has. A host has to be at rest for each, so it misses none; one that was taken out may. */
const keptMirrored = 20;

type Of<T extends SiteEvent['type']> = Extract<SiteEvent, { type: T }>;
type Change = Partial<Site> | Refusal;

export function claim(site: Site, { ref, run: id, kind, keeps }: Of<'claim'>): Change {
  const { run } = site;
  if (run !== null) return run.id === id ? same : 'run-in-progress';
  return { run: { id, kind, owner: named(site, ref), stage: 'claimed', epoch: null, ...(keeps && { keeps }) } };
}

export function prepare(site: Site, event: Of<'prepare'>): Change {
  return ofOwner(site, event, (run) => (run.stage === 'claimed' ? { run: move(run, 'preparing') } : same));
}

export function drain(site: Site, event: Of<'drain'>, now: number, rules: SiteRules): Change {
  const epoch = site.epoch + 1;
  return ofOwner(site, event, (run) => {
    if (run.stage === 'draining') return same;
    return isSettled(site, now, rules) ? { epoch, run: { ...move(run, 'draining'), epoch } } : 'not-yet';
  });
}

export function begin(site: Site, event: Of<'begin'>): Change {
  return ofOwner(site, event, (run) => {
    if (run.stage === 'running') return same;
    if (!isReady(site, run)) return 'not-yet';
    return { run: { ...move(run, 'running'), ...(event.shared === true ? { shared: true } : {}) } };
  });
}

export function end(site: Site, event: Of<'end'>, now: number): Change {
  return ofOwner(site, event, (run) => ({
    ...ended(site, run, event.failed === true, now),
    ...heard(site, event),
  }));
}

/** In the same write as the end: every host hears of it before its gates open. */
function heard({ mirrored = [] }: Site, { ref, run, mirrored: outcome }: Of<'end'>): Partial<Site> {
  if (outcome === undefined) return {};
  return { mirrored: [...mirrored.slice(1 - keptMirrored), { run, host: ref.host, ...outcome }] };
}

/** The hold that stays is there before the run's goes: the gates do not open in between. */
function ended(site: Site, run: SiteRun, hasFailed: boolean, now: number): Partial<Site> {
  const stays = hasFailed && run.keeps !== undefined && run.stage === 'running';
  return stays ? { run: null, operator: heldInstead(site.operator, run.keeps, now) } : { run: null };
}

/**
 * What a host leaves behind that is taken out. A run that has not begun to write ends with its owner. One that has is
 * finished by another host; an exclusive handler has ended with its host's workers; of a command nobody knows.
 */
export function runWithout({ run }: Site, gone: HostRef): SiteRun | null {
  if (run === null || !isSameRef(run.owner, gone)) return run;
  return outlivesOwner(run) ? run : null;
}

/** A host is back whose command had the site when it was taken out: the command has ended, or its primary has. */
export function onReturn(site: Site, host: string, now: number): Partial<Site> {
  const { run } = site;
  const isBack = run !== null && run.owner.host === host && isStranded(site, run) && mayStillWork(run);
  return isBack ? ended(site, run, true, now) : {};
}

/** One change of owner, epoch and each present host's rest: they have been shut all the while. */
export function takeOver(site: Site, { ref, run: id }: Of<'take-over'>, now: number, rules: SiteRules): Change {
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

/** Nobody is left to finish it, and nobody needs to. */
export function bury(site: Site, { run: id }: Of<'bury'>): Change {
  const { run } = site;
  if (run?.id !== id || !isStranded(site, run) || outlivesOwner(run)) return 'over';
  return { run: null };
}

/** An operator takes what a run has left behind, whatever it is. */
export function abandon(site: Site, { run: id }: Of<'abandon'>): Change {
  return site.run?.id === id && isStranded(site, site.run) ? { run: null } : 'over';
}

function ofOwner(
  { run }: Site,
  { ref, run: id }: { ref: HostRef; run: string },
  change: (run: SiteRun) => Change,
): Change {
  return run?.id === id && isSameRef(run.owner, ref) ? change(run) : 'over';
}

/** Its name outlasts it in the document: people have to know which host they look for. */
function named({ hosts }: Site, ref: HostRef): SiteRun['owner'] {
  return { ...ref, name: hosts[ref.host]!.name };
}

function move(run: SiteRun, stage: SiteStage): SiteRun {
  checkMove<SiteStage>(siteMoves, `run ${run.id}`, run.stage, stage);
  return { ...run, stage };
}
