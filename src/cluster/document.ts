/** The site document of a cluster of hosts: what it is, and what can be asked of it. Pure. Times are the database's, ms. */
import type { OperatorHold, ScheduledHold } from '../protocol/operator-hold.ts';
import type { Mirrored } from '../protocol/messages.ts';
import type { RunKind } from '../protocol/words.ts';

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
  readonly owner: HostRef & { readonly name: string };
  readonly stage: SiteStage;
  /** The pause of this run; null before `draining`, and for a run that needs none. */
  readonly epoch: number | null;
  /** Its feed lies where every host finds it. */
  readonly shared?: boolean | undefined;
  /** Of a command: an operator hold takes its place, unless it is known to have succeeded. */
  readonly keeps?: { readonly reason: string; readonly by: string | null } | undefined;
}

export interface SiteHost {
  readonly incarnation: string;
  /** Of this host alone. */
  readonly name: string;
  /** Until when it counts. */
  readonly lease: number;
  /** The newest epoch for which all of its workers have been at rest. */
  readonly rest: number;
  /** Of quiesce. */
  readonly version?: string | undefined;
}

/** Who wants a hold only if the hosts come to rest in time. */
export interface Waiter extends HostRef {
  readonly id: string;
}

export interface ClusterHold extends OperatorHold {
  /** For whose sake alone it stands; none where somebody wants it in any case, and once the hosts have come to rest. */
  readonly waiters: readonly Waiter[];
}

/** Of all hosts, one after another. */
export interface SiteReload {
  readonly id: string;
  readonly by: string | null;
  /** The hosts that have it before them; the first is at it. */
  readonly left: readonly string[];
  readonly done: number;
  /** How many there are. */
  readonly of: number;
  /** Why it stopped, and the name of the host where. */
  readonly failed: { readonly host: string; readonly code: string; readonly why: string } | null;
}

/** A time of a schedule, and the host that does for all what is due then. */
export interface Tick extends HostRef {
  readonly at: number;
}

/** A feed that may have changed documents, for the caches of the other hosts. */
export interface SiteMirrored extends Omit<Mirrored, 'keys'> {
  /** Its workers know more of it. */
  readonly host: string;
}

export interface Site {
  /** New if the document was dropped or restored: then every host joins again. */
  readonly identity: string;
  readonly version: number;
  readonly epoch: number;
  readonly operator: ClusterHold | null;
  readonly scheduled: ScheduledHold | null;
  /** The one that is going on, or the last one. */
  readonly reload: SiteReload | null;
  readonly run: SiteRun | null;
  readonly hosts: Readonly<Record<string, SiteHost>>;
  /** By what is due: the last time that a host has won. */
  readonly ticks?: Readonly<Record<string, Tick>> | undefined;
  /** The last ones, the oldest first. */
  readonly mirrored?: readonly SiteMirrored[] | undefined;
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

/** Whether the gates of all hosts have to be shut, and for which epoch. */
export function pauseOf({ epoch, operator, run }: Site): number | null {
  return operator !== null || (run !== null && run.epoch !== null) ? epoch : null;
}

export function isSameRef(a: HostRef, b: HostRef): boolean {
  return a.host === b.host && a.incarnation === b.incarnation;
}

export function isMember(site: Site, { host, incarnation }: HostRef): boolean {
  return site.hosts[host]?.incarnation === incarnation;
}

/** When others may count a host out, by the database's clock. */
export function evictableAt(host: SiteHost, rules: SiteRules): number {
  return rules.onPartition === 'serve' ? Infinity : host.lease + rules.evictionGrace + rules.margin;
}

/** Its owner is gone. */
export function isStranded(site: Site, run: SiteRun): boolean {
  return !isMember(site, run.owner);
}

/** Its command may still be at work, wherever its host is: nobody but people can tell. */
export function mayStillWork({ kind, stage }: SiteRun): boolean {
  return kind === 'exec' && stage === 'running';
}

/** Whether every host in the document has been at rest for this pause; a run without a pause need not wait. */
export function isReady(site: Site, run: SiteRun): boolean {
  return run.stage === 'preparing' || (run.stage === 'draining' && areAllAtRest(site, run.epoch));
}

/** Whether all rest for this pause or a later one: a document that took the place of a lost one has a later epoch. */
export function areAllPast({ hosts }: Site, epoch: number): boolean {
  return Object.values(hosts).every(({ rest }) => rest >= epoch);
}

export function areAllAtRest({ hosts }: Site, epoch: number | null): boolean {
  return Object.values(hosts).every(({ rest }) => rest === epoch);
}

/** Nothing of any host is at work, and no run has the gates. */
export function isQuiesced(site: Site): boolean {
  return pauseOf(site) !== null && (site.run?.epoch ?? null) === null && areAllAtRest(site, site.epoch);
}
