/**
 * The site document that the hosts of a cluster share: its type and the pure questions about it. Times are by the
 * database's clock, ms.
 */
import type { OperatorHold, ScheduledHold } from '../protocol/hold/operator-hold.ts';
import type { Mirrored } from '../protocol/workers/messages.ts';
import type { RunKind } from '../protocol/words.ts';

export const siteMoves = {
  claimed: ['preparing', 'draining'],
  preparing: ['draining', 'running'],
  draining: ['running'],
  running: [],
} as const satisfies Record<string, readonly string[]>;
export type SiteStage = keyof typeof siteMoves;

/** One primary process of a host. The host id survives a restart of the primary; the incarnation does not. */
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
  /** The feed is stored in MongoDB, so any host can finish the run. */
  readonly shared?: boolean | undefined;
  /**
   * Of an `exec` with `--keep-on-failure`: the operator hold that replaces the run, unless its command is known to have
   * succeeded.
   */
  readonly keeps?: { readonly reason: string; readonly by: string | null } | undefined;
}

export interface SiteHost {
  readonly incarnation: string;
  /** Unique among the hosts of the document. */
  readonly name: string;
  /** When its lease ends. */
  readonly lease: number;
  /** The newest epoch for which all of its workers have been at rest. */
  readonly rest: number;
  /** The version of quiesce that it runs. */
  readonly version?: string | undefined;
}

/** A caller that wants a hold only if all hosts come to rest before the caller's timeout. */
export interface Waiter extends HostRef {
  readonly id: string;
}

export interface ClusterHold extends OperatorHold {
  /**
   * The callers that this hold depends on: it goes with the last of them. Empty: the hold is unconditional, as any is
   * once all hosts are at rest.
   */
  readonly waiters: readonly Waiter[];
}

/** A reload of all hosts, one host after another. */
export interface SiteReload {
  readonly id: string;
  readonly by: string | null;
  /** The hosts that have not finished; the first one is reloading. */
  readonly left: readonly string[];
  readonly done: number;
  /** The number of hosts to reload, `done` included. */
  readonly of: number;
  /** The host that failed, by name, and why. The reload has stopped there. */
  readonly failed: { readonly host: string; readonly code: string; readonly why: string } | null;
}

/** One due time of a schedule, and the host that does that work for all hosts. */
export interface Tick extends HostRef {
  readonly at: number;
}

/** A feed that may have changed documents. The other hosts read it to drop their caches. */
export interface SiteMirrored extends Omit<Mirrored, 'keys'> {
  /** The host that carried the feed out. Its own workers are told more, such as the changed keys. */
  readonly host: string;
}

export interface Site {
  /** Changes when the document is replaced after it was dropped or restored; every host then joins again. */
  readonly identity: string;
  readonly version: number;
  readonly epoch: number;
  readonly operator: ClusterHold | null;
  readonly scheduled: ScheduledHold | null;
  /** The current reload, or the last one. */
  readonly reload: SiteReload | null;
  readonly run: SiteRun | null;
  readonly hosts: Readonly<Record<string, SiteHost>>;
  /** Per schedule: the last due time that a host has won. */
  readonly ticks?: Readonly<Record<string, Tick>> | undefined;
  /** The most recent ones, oldest first. */
  readonly mirrored?: readonly SiteMirrored[] | undefined;
  /** When this document replaced a lost one. */
  readonly founded?: number | undefined;
}

/** Durations in ms. */
export interface SiteRules {
  readonly lease: number;
  /** How long requests in flight at the end of a lease may still run. After it their worker ends itself. */
  readonly evictionGrace: number;
  /** How long other hosts wait after lease and grace before they evict the host. */
  readonly margin: number;
  /** `serve`: no host is evicted because its lease is over. */
  readonly onPartition: 'shut' | 'serve';
  /** How often hosts renew. If set, no drain starts while another host is late with its renewal. */
  readonly renewal?: number;
}

/** The epoch for which the gates of all hosts have to be shut; null if they may be open. */
export function pauseOf({ epoch, operator, run }: Site): number | null {
  return operator !== null || (run !== null && run.epoch !== null) ? epoch : null;
}

export function isSameRef(a: HostRef, b: HostRef): boolean {
  return a.host === b.host && a.incarnation === b.incarnation;
}

export function isMember(site: Site, { host, incarnation }: HostRef): boolean {
  return site.hosts[host]?.incarnation === incarnation;
}

/** After this time nothing of a host that has not renewed is in flight, whatever `on_partition` is. */
function silentAt({ lease }: SiteHost, { evictionGrace, margin }: SiteRules): number {
  return lease + evictionGrace + margin;
}

/** After this time other hosts may evict the host. */
export function evictableAt(host: SiteHost, rules: SiteRules): number {
  return rules.onPartition === 'serve' ? Infinity : silentAt(host, rules);
}

/**
 * Whether any host may end the run, which has not begun to work: its owner has not renewed for long. This needs no clock
 * to be right: once the run is out of the document, its owner's `begin` is refused.
 */
export function isOverdue(site: Site, { owner, stage }: SiteRun, now: number, rules: SiteRules): boolean {
  const host = isMember(site, owner) ? site.hosts[owner.host] : undefined;
  if (host === undefined || stage === 'running') return false;
  return now > silentAt(host, rules);
}

/** Whether the owner of the run is no longer a member. */
export function isStranded(site: Site, run: SiteRun): boolean {
  return !isMember(site, run.owner);
}

/**
 * Whether the run's command may still be running on a host that is gone. No other host can find out; an operator can.
 */
export function mayStillWork({ kind, stage }: SiteRun): boolean {
  return kind === 'exec' && stage === 'running';
}

/** Whether the run may begin: every host is at rest for its pause, or it needs no pause. */
export function isReady(site: Site, run: SiteRun): boolean {
  return run.stage === 'preparing' || (run.stage === 'draining' && areAllAtRest(site, run.epoch));
}

/**
 * Whether all hosts are at rest for this pause or a later one. A document that replaced a lost one has a later epoch.
 */
export function areAllPast({ hosts }: Site, epoch: number): boolean {
  return Object.values(hosts).every(({ rest }) => rest >= epoch);
}

export function areAllAtRest({ hosts }: Site, epoch: number | null): boolean {
  return Object.values(hosts).every(({ rest }) => rest === epoch);
}

/** The names of the hosts that are not at rest for this pause. */
export function hostsNotAtRest({ hosts }: Site, epoch: number | null): string[] {
  return Object.values(hosts).flatMap(({ rest, name }) => (rest === epoch ? [] : [name]));
}

/** Whether every gate is shut, no host has work in flight, and no run holds the pause. */
export function isQuiesced(site: Site): boolean {
  return pauseOf(site) !== null && (site.run?.epoch ?? null) === null && areAllAtRest(site, site.epoch);
}
