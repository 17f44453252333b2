/**
 * What a host makes of the site document: whether its gates may be open, until when, and what it has to write next. Pure.
 *
 * out ──join answered──▶ in ──evicted, left out of the document, or another document──▶ out
 *
 * Two rules carry the proof. A document that is older than the newest that was seen says nothing (an answer may come
 * late). And the lease is counted from the moment before its renewal was sent, on the host's own monotonic clock.
 */
import type { RunKind } from '../protocol/words.ts';
import {
  areAllPast,
  evictableAt,
  isMember,
  isReady,
  isSameRef,
  isStranded,
  mayStillWork,
  pauseOf,
  type HostRef,
  type Site,
  type SiteRules,
  type SiteRun,
  type SiteStage,
} from './document.ts';
import type { HostFailure, Outcome, SiteEvent } from './events.ts';
import { isHalfDone } from './founding.ts';

export interface Member {
  readonly ref: HostRef;
  readonly name: string;
  readonly site: Site | null;
  /** On this host's monotonic clock, ms; no gate is open and nothing begins after it. */
  readonly deadline: number;
}

/** What the host's own machine is at. */
export interface Local {
  /** The newest pause for which all of its workers are at rest; null while something is in flight. */
  readonly rest: number | null;
  /** Nothing is in flight, and no gate is open, whatever the pause. */
  readonly isIdle: boolean;
  readonly run: OwnRun | null;
  /** What became of the last reload of all hosts here; null where there was none. */
  readonly reloaded: { readonly id: string; readonly failed: HostFailure | null } | null;
  /** Those who wait here for a hold of the cluster. */
  readonly waiters: ReadonlySet<string>;
  /** Of a run whose owner is gone: `left` where this host has its feed, `ended` where it came to its end here before. */
  readonly past: (run: string) => 'left' | 'ended' | null;
}

/** The run that a host owns, and what it wants of the site next. */
export interface OwnRun {
  readonly id: string;
  readonly kind: RunKind;
  readonly wants: 'claim' | 'prepare' | 'drain' | 'begin' | 'end' | null;
  /** It was another host's, which may still be at work on it. */
  readonly isTakenOver: boolean;
  readonly keeps?: SiteRun['keeps'];
  /** Its feed lies where every host finds it. */
  readonly shared?: boolean;
  /** It wants to end: what became of its feed, where that may have changed documents. */
  readonly mirrored?: Outcome;
  /** It wants to end: its work had begun, and has not succeeded. */
  readonly failed?: boolean;
}

/** How much slower than the database's clock a host's may go: NTP slews by 0.05 %. */
export const drift = 0.01;

export function newMember(ref: HostRef, name: string): Member {
  return { ref, name, site: null, deadline: -Infinity };
}

/** Handles a document, whether it came from a read, a write or the change stream. */
export function sees(member: Member, site: Site): Member {
  const { site: newest, ref } = member;
  if (newest !== null && newest.identity === site.identity && site.version < newest.version) return member;
  const isNew = newest !== null && newest.identity !== site.identity;
  const isOut = newest !== null && isMember(newest, ref) && !isMember(site, ref);
  return isNew || isOut ? { ...member, site, deadline: -Infinity } : { ...member, site };
}

/** A join or a renewal was acknowledged. `sentAt`: before it was sent, on this host's clock. */
export function renewed(member: Member, site: Site, sentAt: number, rules: SiteRules): Member {
  const now = sees(member, site);
  if (now.site === null || !isMember(now.site, member.ref)) return now;
  const deadline = rules.onPartition === 'serve' ? Infinity : sentAt + rules.lease * (1 - drift);
  return { ...now, deadline: Math.max(now.deadline, deadline) };
}

/** Another incarnation of this host stands in the document, or none: it has to join anew, as a new one. */
export function evicted(member: Member, incarnation: string): Member {
  return { ...member, ref: { ...member.ref, incarnation }, deadline: -Infinity };
}

export function isIn({ site, ref }: Member): boolean {
  return site !== null && isMember(site, ref);
}

/** The pause that the host's gates have to be shut for; null where they may be open, as long as the deadline has not passed. */
export function pauseFor(member: Member): number | null {
  return member.site === null ? 0 : pauseOf(member.site);
}

/** @param now on this host's clock */
export function mayOpen(member: Member, now: number): boolean {
  return isIn(member) && pauseFor(member) === null && now <= member.deadline;
}

/**
 * What becomes of a run whose `begin` was acknowledged. Nothing begins on an answer that comes after the deadline: it ends,
 * since nothing was written. One that was taken over cannot end so: its former owner may still write under the old
 * epoch, until this host has taken the fence. So it waits for a lease that is good.
 */
export function onWon(member: Member, run: OwnRun, now: number): 'begin' | 'end' | 'wait' {
  const { site, ref } = member;
  const own = site?.run;
  const isOwner = own?.id === run.id && isSameRef(own.owner, ref);
  if (isIn(member) && isOwner && own.stage === 'running' && now <= member.deadline) return 'begin';
  return run.isTakenOver ? 'wait' : 'end';
}

/** What this host has to write now, beside its renewals, the most urgent first. @param serverNow the database's clock, ms */
export function writesOf(member: Member, local: Local, serverNow: number, rules: SiteRules): SiteEvent[] {
  const { site, ref } = member;
  if (site === null || !isMember(site, ref))
    return local.isIdle && local.run === null ? [{ type: 'join', ref, name: member.name }] : [];
  const writes: SiteEvent[] = [];
  const pause = pauseOf(site);
  if (pause !== null && local.rest === pause && site.hosts[ref.host]!.rest < pause)
    writes.push({ type: 'rest', ref, epoch: pause });
  const own = writeForRun(site, ref, local, serverNow, rules) ?? endOfOrphan(site, ref, local);
  if (own !== null) writes.push(own);
  writes.push(...writesForHolds(site, ref, local, serverNow));
  for (const [host, each] of Object.entries(site.hosts)) {
    if (host !== ref.host && serverNow > evictableAt(each, rules))
      writes.push({ type: 'evict', host, incarnation: each.incarnation });
  }
  const { reload } = site;
  if (local.reloaded !== null && local.reloaded.id === reload?.id && reload.left[0] === ref.host)
    writes.push({ type: 'reloaded', ref, ...local.reloaded });
  const orphan = writeForOrphan(site, ref, local);
  if (orphan !== null) writes.push(orphan);
  return writes;
}

function* writesForHolds(
  { operator, scheduled }: Site,
  ref: HostRef,
  { waiters }: Local,
  serverNow: number,
): Iterable<SiteEvent> {
  const until = operator?.until ?? null;
  if (until !== null && serverNow > until) yield { type: 'lapse', ref };
  if (scheduled !== null && serverNow >= scheduled.at) yield { type: 'begin-scheduled', ref };
  for (const waiter of operator?.waiters ?? [])
    if (isSameRef(waiter, ref) && !waiters.has(waiter.id)) yield { type: 'give-up', ref, waiter: waiter.id };
}

/** Of a run whose owner is gone. */
function writeForOrphan(site: Site, ref: HostRef, local: Local): SiteEvent | null {
  const { run } = site;
  if (run === null || !isStranded(site, run) || mayStillWork(run)) return null;
  if (!isHalfDone(run)) return { type: 'bury', ref, run: run.id };
  const hasFeed = run.shared === true || local.past(run.id) !== null;
  const isAble = local.run === null && hasFeed && areAllPast(site, run.epoch!);
  return isAble ? { type: 'take-over', ref, run: run.id } : null;
}

/** The next step of the run that this host owns, where the document is not there yet. */
function writeForRun(site: Site, ref: HostRef, local: Local, serverNow: number, rules: SiteRules): SiteEvent | null {
  const { run } = local;
  if (run === null || run.wants === null) return null;
  const { wants, id } = run;
  const { run: own } = site;
  if (wants === 'claim') return own?.id === id ? null : claimOf(run, ref);
  if (own?.id !== id || isDone(wants, own.stage)) return null;
  if (wants === 'drain') return someoneIsLate(site, ref, serverNow, rules) ? null : { type: 'drain', ref, run: id };
  if (wants === 'end') return endOf(run, ref);
  if (wants !== 'begin') return { type: wants, ref, run: id };
  if (own.stage === 'claimed') return { type: 'prepare', ref, run: id };
  if (!isReady(site, own)) return null;
  return { type: 'begin', ref, run: id, ...(run.shared === true ? { shared: true } : {}) };
}

function endOf({ id, failed, mirrored }: OwnRun, ref: HostRef): SiteEvent {
  return { type: 'end', ref, run: id, ...(failed === true ? { failed } : {}), ...(mirrored && { mirrored }) };
}

function claimOf({ id, kind, keeps }: OwnRun, ref: HostRef): SiteEvent {
  return { type: 'claim', ref, run: id, kind, ...(keeps && { keeps }) };
}

function isDone(wants: OwnRun['wants'], stage: SiteStage): boolean {
  if (wants === 'begin') return stage === 'running';
  return wants === 'drain' && (stage === 'draining' || stage === 'running');
}

/** A drain would wait for a host that may be dead: the gates stay open until it has renewed, or is evicted. */
function someoneIsLate(
  { hosts }: Site,
  ref: HostRef,
  serverNow: number,
  { lease, renewal, onPartition }: SiteRules,
): boolean {
  if (renewal === undefined || onPartition === 'serve') return false;
  const isLate = (until: number): boolean => serverNow > until - lease + 1.5 * renewal;
  return Object.entries(hosts).some(([host, each]) => host !== ref.host && isLate(each.lease));
}

/** A claim may take effect when nobody waits for it any more. What may be half written is not ended but finished. */
function endOfOrphan({ run }: Site, ref: HostRef, local: Local): SiteEvent | null {
  if (run === null || local.run?.id === run.id) return null;
  if (!isSameRef(run.owner, ref)) return null;
  // How a command has ended is not known here any more: what was to stay held does.
  if (isHalfDone(run) && local.past(run.id) !== 'ended') return null;
  return { type: 'end', ref, run: run.id, ...(run.keeps === undefined ? {} : { failed: true }) };
}
