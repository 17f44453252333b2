/**
 * The site document of a cluster of hosts: what it is, and the one function that changes it. Pure; the caller
 * writes the result by compare-and-set of the version: of two concurrent writers one is refused and reads again.
 *
 * run    claimed → preparing → draining → running → (none), or the end from any stage
 * host   joins shut, renews its lease, says for which epoch its workers are at rest, leaves, or is evicted
 *
 * Times are the database's, ms. The protocol and its proof: docs/architecture.md, "Many hosts".
 */
import { isHalfDone, isSettled } from './founding.ts';
import { checkMove } from '../moves.ts';
import type { ErrorCode } from '../errors.ts';
import type { RequestedKind } from '../protocol/words.ts';

export type RunKind = RequestedKind;

export const siteMoves = {
  claimed: ['preparing', 'draining'],
  preparing: ['draining', 'running'],
  draining: ['running'],
  running: [],
} as const satisfies Record<string, readonly string[]>;
export type SiteStage = keyof typeof siteMoves;

/** A process of a primary: a host's id outlives it, its incarnation does not. */
export interface HostRef {
  readonly host: string;
  readonly incarnation: string;
}

export interface SiteRun {
  readonly id: string;
  readonly kind: RunKind;
  readonly owner: HostRef;
  readonly stage: SiteStage;
  /** The pause of this run; null before `draining`, and for a run that needs none. */
  readonly epoch: number | null;
}

export interface SiteHost {
  readonly incarnation: string;
  readonly name: string;
  /** Until when it counts. */
  readonly lease: number;
  /** The newest epoch for which all of its workers have been at rest. */
  readonly rest: number;
}

export interface SiteHold {
  readonly reason: string;
  readonly since: number;
  readonly until: number | null;
  readonly by?: string;
  /** New with each change, so that an operator who removes his own hold does not remove another's. */
  readonly id?: string;
}

export interface Site {
  /** New if the document was dropped or restored: then every host joins again. */
  readonly identity: string;
  readonly version: number;
  readonly epoch: number;
  readonly operator: SiteHold | null;
  readonly run: SiteRun | null;
  readonly hosts: Readonly<Record<string, SiteHost>>;
  /** When it took the place of one that was lost. */
  readonly founded?: number | undefined;
}

/** Durations in ms. */
export interface SiteRules {
  readonly lease: number;
  /** What is in flight at the end of a lease has so long to finish; then its worker ends itself. */
  readonly evictionGrace: number;
  /** Beyond both, before another host counts it out. */
  readonly margin: number;
  /** `serve`: nobody is evicted for his lease. */
  readonly onPartition: 'shut' | 'serve';
  /** How often hosts renew. Where it is known, a drain is not begun while a host is late with that. */
  readonly renewal?: number;
}

export type SiteEvent =
  /** `replaces`: a former primary, seen dead with each of its workers; its incarnations begin with this. */
  | { readonly type: 'join'; readonly ref: HostRef; readonly name: string; readonly replaces?: string }
  | { readonly type: 'renew'; readonly ref: HostRef }
  | { readonly type: 'leave'; readonly ref: HostRef }
  | { readonly type: 'evict'; readonly host: string; readonly incarnation: string }
  /** By an operator, who knows that it is dead. */
  | { readonly type: 'remove'; readonly host: string }
  | { readonly type: 'claim'; readonly ref: HostRef; readonly run: string; readonly kind: RunKind }
  | { readonly type: 'prepare'; readonly ref: HostRef; readonly run: string }
  | { readonly type: 'drain'; readonly ref: HostRef; readonly run: string }
  | { readonly type: 'rest'; readonly ref: HostRef; readonly epoch: number }
  | { readonly type: 'begin'; readonly ref: HostRef; readonly run: string }
  | { readonly type: 'end'; readonly ref: HostRef; readonly run: string }
  | { readonly type: 'take-over'; readonly ref: HostRef; readonly run: string }
  /** The end of a run whose owner is gone and which no host can finish. */
  | { readonly type: 'bury'; readonly ref: HostRef; readonly run: string }
  | { readonly type: 'hold'; readonly ref: HostRef; readonly hold: SiteHold }
  /** `id`: only that hold. `isOver`: only where its time has passed. */
  | { readonly type: 'unhold'; readonly ref: HostRef; readonly id?: string; readonly isOver?: true }
  /** By an operator, who takes a half-mirrored collection over a site that stays shut: nobody is left to finish the run. */
  | { readonly type: 'abandon'; readonly ref: HostRef; readonly run: string };

export type Refusal = Extract<ErrorCode, 'run-in-progress'> | 'evicted' | 'host-in-use' | 'not-yet' | 'over';

export type SiteStep =
  | { readonly site: Site; readonly refused: null }
  /** Nothing changes. */
  | { readonly site: Site; readonly refused: Refusal };

/** @throws Error on a move that the table does not list: a defect, never an input. */
export function siteStep(site: Site, event: SiteEvent, now: number, rules: SiteRules): SiteStep {
  const change = apply(site, event, now, rules);
  if (change === same) return { site, refused: null };
  if (typeof change === 'string') return { site, refused: change };
  return { site: { ...site, ...change, version: site.version + 1 }, refused: null };
}

/** Whether the gates of all hosts have to be shut, and for which epoch. */
export function pauseOf({ epoch, operator, run }: Site): number | null {
  return operator !== null || (run !== null && run.epoch !== null) ? epoch : null;
}

export function isMember(site: Site, { host, incarnation }: HostRef): boolean {
  return site.hosts[host]?.incarnation === incarnation;
}

/** When others may count a host out, by the database's clock. */
export function evictableAt(host: SiteHost, rules: SiteRules): number {
  return rules.onPartition === 'serve' ? Infinity : host.lease + rules.evictionGrace + rules.margin;
}

/** Done before: an acknowledgement can be lost after the write took effect, and the write is then sent again. */
const same: Partial<Site> = {};

function apply(site: Site, event: SiteEvent, now: number, rules: SiteRules): Partial<Site> | Refusal {
  switch (event.type) {
    case 'join':
      return join(site, event, now, rules);
    case 'evict':
      return evict(site, event, now, rules);
    case 'remove':
      return site.hosts[event.host] === undefined ? 'over' : without(site, event.host);
    default:
      return isMember(site, event.ref) ? ofMember(site, event, now, rules) : 'evicted';
  }
}

function ofMember(
  site: Site,
  event: Exclude<SiteEvent, { type: 'join' | 'evict' | 'remove' }>,
  now: number,
  rules: SiteRules,
): Partial<Site> | Refusal {
  const { ref } = event;
  switch (event.type) {
    case 'renew':
      return withHost(site, ref.host, { lease: now + rules.lease });
    case 'leave':
      return without(site, ref.host);
    case 'claim':
      if (site.run !== null) return site.run.id === event.run ? same : 'run-in-progress';
      return { run: { id: event.run, kind: event.kind, owner: ref, stage: 'claimed', epoch: null } };
    case 'prepare':
      return ofOwner(site, event, (run) => (run.stage === 'claimed' ? { run: move(run, 'preparing') } : same));
    case 'drain':
      return ofOwner(site, event, (run) => (isSettled(site, now, rules) ? drain(site, run) : 'not-yet'));
    case 'rest':
      return event.epoch === site.epoch && site.hosts[ref.host]!.rest < event.epoch
        ? withHost(site, ref.host, { rest: event.epoch })
        : 'over';
    case 'begin':
      return ofOwner(site, event, (run) => begin(site, run));
    case 'end':
      return ofOwner(site, event, () => ({ run: null }));
    case 'take-over':
      return takeOver(site, event);
    case 'bury':
      return bury(site, event.run);
    case 'hold':
      // A pause of its own where the gates are open; else those who rest do so already.
      return pauseOf(site) === null ? { operator: event.hold, epoch: site.epoch + 1 } : { operator: event.hold };
    case 'unhold':
      return unhold(site, event, now);
    case 'abandon':
      return bury(site, event.run);
    default:
      return event satisfies never;
  }
}

function drain(site: Site, run: SiteRun): Partial<Site> {
  if (run.stage === 'draining') return same;
  const epoch = site.epoch + 1;
  return { epoch, run: { ...move(run, 'draining'), epoch } };
}

function begin(site: Site, run: SiteRun): Partial<Site> | Refusal {
  if (run.stage === 'running') return same;
  return isReady(site, run) ? { run: move(run, 'running') } : 'not-yet';
}

/** Whether every host in the document has been at rest for this pause; a run without a pause need not wait. */
function isReady({ hosts }: Site, run: SiteRun): boolean {
  if (run.stage === 'preparing') return true;
  return run.stage === 'draining' && Object.values(hosts).every(({ rest }) => rest === run.epoch);
}

/** Shut, with nothing in flight: whoever joins is at rest for the epoch that it finds. */
function join(
  site: Site,
  { ref, name, replaces }: Extract<SiteEvent, { type: 'join' }>,
  now: number,
  rules: SiteRules,
): Partial<Site> | Refusal {
  const former = site.hosts[ref.host];
  const isFree =
    former === undefined || former.incarnation === ref.incarnation || former.incarnation.startsWith(`${replaces}.`);
  if (!isFree && now <= evictableAt(former, rules)) return 'host-in-use';
  const rest = former === undefined ? site : { ...site, ...without(site, ref.host) };
  const host: SiteHost = { incarnation: ref.incarnation, name, lease: now + rules.lease, rest: site.epoch };
  return { run: rest.run, hosts: { ...rest.hosts, [ref.host]: host } };
}

function evict(
  site: Site,
  { host, incarnation }: Extract<SiteEvent, { type: 'evict' }>,
  now: number,
  rules: SiteRules,
): Partial<Site> | Refusal {
  const found = site.hosts[host];
  if (found?.incarnation !== incarnation) return 'over';
  return now > evictableAt(found, rules) ? without(site, host) : 'not-yet';
}

/**
 * A run that has not begun to write ends with its owner. One that has is finished by another host; an exclusive handler
 * has ended with its host's workers.
 */
function without(site: Site, host: string): Pick<Site, 'hosts' | 'run'> {
  const { [host]: gone, ...hosts } = site.hosts;
  const { run } = site;
  const isOwner = run !== null && run.owner.host === host && run.owner.incarnation === gone?.incarnation;
  return { hosts, run: isOwner && !isHalfDone(run) ? null : run };
}

/** One change of owner, epoch and each present host's rest: they have been shut all the while. */
function takeOver(site: Site, { ref, run: id }: { ref: HostRef; run: string }): Partial<Site> | Refusal {
  const { run } = site;
  if (run?.id !== id || run.stage !== 'running' || run.epoch === null) return 'over';
  if (isSame(run.owner, ref)) return same;
  if (isMember(site, run.owner)) return 'over';
  const present = Object.entries(site.hosts);
  if (present.some(([, { rest }]) => rest < run.epoch!)) return 'not-yet';
  const epoch = site.epoch + 1;
  const hosts = Object.fromEntries(present.map(([name, host]) => [name, { ...host, rest: epoch }]));
  return { epoch, hosts, run: { ...run, owner: ref, epoch } };
}

function unhold(
  { operator }: Site,
  { id, isOver }: { id?: string; isOver?: true },
  now: number,
): Partial<Site> | Refusal {
  if (operator === null || (id !== undefined && operator.id !== id)) return 'over';
  if (isOver === true && (operator.until === null || operator.until > now)) return 'not-yet';
  return { operator: null };
}

function bury({ run, ...site }: Site, id: string): Partial<Site> | Refusal {
  if (run?.id !== id || isMember({ run, ...site }, run.owner)) return 'over';
  return { run: null };
}

function ofOwner(
  site: Site,
  { ref, run: id }: { ref: HostRef; run: string },
  change: (run: SiteRun) => Partial<Site> | Refusal,
): Partial<Site> | Refusal {
  const { run } = site;
  return run?.id === id && isSame(run.owner, ref) ? change(run) : 'over';
}

function isSame(a: HostRef, b: HostRef): boolean {
  return a.host === b.host && a.incarnation === b.incarnation;
}

function move(run: SiteRun, stage: SiteStage): SiteRun {
  checkMove<SiteStage>(siteMoves, `run ${run.id}`, run.stage, stage);
  return { ...run, stage };
}

function withHost(site: Site, host: string, change: Partial<SiteHost>): Partial<Site> {
  return { hosts: { ...site.hosts, [host]: { ...site.hosts[host]!, ...change } } };
}
