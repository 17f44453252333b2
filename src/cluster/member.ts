/**
 * What the site document means for one host: whether its gates may be open, until when, and what it writes next. Pure.
 *
 * out ──join answered──▶ in ──evicted, left out of the document, or another document──▶ out
 *
 * The proof rests on two rules. A document older than the newest one seen is ignored, since answers may arrive late.
 * And the lease counts from just before its renewal was sent, on the host's own monotonic clock.
 */
import type { RunKind } from '../protocol/words.ts';
import {
  areAllPast,
  evictableAt,
  isMember,
  isOverdue,
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
  /** The version of quiesce that this host runs. */
  readonly version?: string | undefined;
  readonly site: Site | null;
  /** On this host's monotonic clock, ms. After it no gate is open and no work begins. */
  readonly deadline: number;
}

/** The state of this host's own workers, run and callers. */
export interface Local {
  /** The newest pause for which all of its workers are at rest; null while something is in flight. */
  readonly rest: number | null;
  /** Nothing is in flight and no gate is open, for whatever reason. */
  readonly isIdle: boolean;
  readonly run: OwnRun | null;
  /** How the last reload of all hosts ended on this host; null if there was none. */
  readonly reloaded: { readonly id: string; readonly failed: HostFailure | null } | null;
  /** The ids of the callers that wait on this host for a hold of the cluster. */
  readonly waiters: ReadonlySet<string>;
  /**
   * For a run whose owner is gone: `left` if this host has its feed, `ended` if the run has already ended on this host.
   */
  readonly past: (run: string) => 'left' | 'ended' | null;
}

/** The run that this host owns, and the step that it needs next. */
export interface OwnRun {
  readonly id: string;
  readonly kind: RunKind;
  readonly wants: 'claim' | 'prepare' | 'drain' | 'begin' | 'end' | null;
  /** This host has taken the run over from another one, which may still be writing. */
  readonly isTakenOver: boolean;
  readonly keeps?: SiteRun['keeps'];
  /** The feed is stored in MongoDB, so any host can finish the run. */
  readonly shared?: boolean;
  /** With `end`: the result of its feed, if that may have changed documents. */
  readonly mirrored?: Outcome;
  /** With `end`: its work had begun and has not succeeded. */
  readonly failed?: boolean;
}

/** By what share a host's clock may run slower than the database's. NTP slews by 0.05 %. */
export const drift = 0.01;

export function newMember(ref: HostRef, name: string, version?: string): Member {
  return { ref, name, site: null, deadline: -Infinity, ...(version === undefined ? {} : { version }) };
}

/** Takes a document that a read, a write or the change stream has brought. */
export function sees(member: Member, site: Site): Member {
  const { site: newest, ref } = member;
  if (newest !== null && newest.identity === site.identity && site.version < newest.version) return member;
  const isNew = newest !== null && newest.identity !== site.identity;
  const isOut = newest !== null && isMember(newest, ref) && !isMember(site, ref);
  return isNew || isOut ? { ...member, site, deadline: -Infinity } : { ...member, site };
}

/** Takes the answer to a join or a renewal. `sentAt`: just before it was sent, on this host's clock. */
export function renewed(member: Member, site: Site, sentAt: number, rules: SiteRules): Member {
  const now = sees(member, site);
  if (now.site === null || !isMember(now.site, member.ref)) return now;
  const deadline = rules.onPartition === 'serve' ? Infinity : deadlineFrom(sentAt, rules);
  return { ...now, deadline: Math.max(now.deadline, deadline) };
}

/** Until when a host counts that has sent its renewal then, on its own clock. */
export function deadlineFrom(sentAt: number, { lease }: Pick<SiteRules, 'lease'>): number {
  return sentAt + lease * (1 - drift);
}

/** The document has no entry, or another incarnation, for this host: it joins again under a new incarnation. */
export function evicted(member: Member, incarnation: string): Member {
  return { ...member, ref: { ...member.ref, incarnation }, deadline: -Infinity };
}

export function isIn({ site, ref }: Member): boolean {
  return site !== null && isMember(site, ref);
}

/** The epoch for which this host's gates have to be shut; null if they may be open until the deadline. */
export function pauseFor(member: Member): number | null {
  return member.site === null ? 0 : pauseOf(member.site);
}

/** @param now on this host's clock */
export function mayOpen(member: Member, now: number): boolean {
  return isIn(member) && pauseFor(member) === null && now <= member.deadline;
}

/**
 * What follows when `begin` was acknowledged. If the answer comes after the deadline, the run ends: it has written
 * nothing. A run that was taken over must not end there: its former owner may still write under the old epoch, until
 * this host has taken the fence. It waits until this host has a valid lease again.
 */
export function onWon(member: Member, run: OwnRun, now: number): 'begin' | 'end' | 'wait' {
  const { site, ref } = member;
  const own = site?.run;
  const isOwner = own?.id === run.id && isSameRef(own.owner, ref);
  if (isIn(member) && isOwner && own.stage === 'running' && now <= member.deadline) return 'begin';
  return run.isTakenOver ? 'wait' : 'end';
}

/**
 * The writes that are due on this host, renewals apart, the most urgent first.
 *
 * @param serverNow the database's clock, ms
 */
export function writesOf(member: Member, local: Local, serverNow: number, rules: SiteRules): SiteEvent[] {
  const { site, ref, name, version } = member;
  const own = version === undefined ? {} : { version };
  // A former primary of this host may still have requests in flight, also before the first view.
  if (site === null || !isMember(site, ref))
    return local.isIdle && local.run === null ? [{ type: 'join', ref, name, ...own }] : [];
  const writes: SiteEvent[] = [];
  const pause = pauseOf(site);
  if (pause !== null && local.rest === pause && site.hosts[ref.host]!.rest < pause)
    writes.push({ type: 'rest', ref, epoch: pause });
  const ofRun = writeForRun(site, ref, local, serverNow, rules) ?? endOfOrphan(site, ref, local);
  if (ofRun !== null) writes.push(ofRun);
  writes.push(...writesForHolds(site, ref, local, serverNow));
  for (const [host, each] of Object.entries(site.hosts)) {
    if (host !== ref.host && serverNow > evictableAt(each, rules))
      writes.push({ type: 'evict', host, incarnation: each.incarnation });
  }
  const { reload } = site;
  if (local.reloaded !== null && local.reloaded.id === reload?.id && reload.left[0] === ref.host)
    writes.push({ type: 'reloaded', ref, ...local.reloaded });
  const orphan = writeForOrphan(site, ref, local, serverNow, rules);
  if (orphan !== null) writes.push(orphan);
  // Its primary was replaced by one of another version, which went on as the same member.
  if (version !== undefined && site.hosts[ref.host]!.version !== version) writes.push({ type: 'update', ref, version });
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

/** The write for a run whose owner is gone, or silent; null if there is none, or this host cannot do it. */
function writeForOrphan(site: Site, ref: HostRef, local: Local, serverNow: number, rules: SiteRules): SiteEvent | null {
  const { run } = site;
  if (run === null || mayStillWork(run)) return null;
  const isSilent = !isSameRef(run.owner, ref) && isOverdue(site, run, serverNow, rules);
  if (!isStranded(site, run) && !isSilent) return null;
  if (!isHalfDone(run)) return { type: 'bury', ref, run: run.id };
  const hasFeed = run.shared === true || local.past(run.id) !== null;
  const isAble = local.run === null && hasFeed && areAllPast(site, run.epoch!);
  return isAble ? { type: 'take-over', ref, run: run.id } : null;
}

/** The next step of this host's own run; null if the document has that step already or the step must wait. */
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

/**
 * Whether another host is late with its renewal. It may be dead, and a drain would wait for it: the gates stay open
 * until it renews or is evicted.
 */
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

/**
 * Ends a run of this host that no caller waits for: a claim can take effect after its caller gave up. A half-written
 * run is finished, not ended.
 */
function endOfOrphan({ run }: Site, ref: HostRef, local: Local): SiteEvent | null {
  if (run === null || local.run?.id === run.id) return null;
  if (!isSameRef(run.owner, ref)) return null;
  // How the command ended is no longer known here, so it counts as failed and its hold stays.
  if (isHalfDone(run) && local.past(run.id) !== 'ended') return null;
  return { type: 'end', ref, run: run.id, ...(run.keeps === undefined ? {} : { failed: true }) };
}
