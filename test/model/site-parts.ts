/** What the model of a site is made of, and when two of its states are the same. */
import type { Member, OwnRun } from '#quiesce/cluster/member.js';
import type { Site, SiteRules } from '#quiesce/cluster/document.js';
import type { SiteEvent } from '#quiesce/cluster/events.js';
import type { siteStep, SiteStep } from '#quiesce/cluster/site.js';
import type { RunKind } from '#quiesce/protocol/words.js';

/** A write on its way: sent, then perhaps applied, then perhaps answered. */
export interface Call {
  readonly event: SiteEvent;
  /** On the host's clock. */
  readonly sentAt: number;
  readonly answer: { readonly site: Site; readonly refused: string | null } | null;
}

/** Renewals go a way of their own, beside all else that a host writes. */
export const ways = ['renewal', 'other'] as const;
export type Way = (typeof ways)[number];

/** A primary that was replaced, and its workers, which may still be at work. */
export interface Former {
  readonly member: Member;
  readonly gate: boolean;
  readonly busy: boolean;
  readonly workersDeadline: number;
  /** What it has read of the document, which has not come yet: when it was asked for, and when it was read. */
  readonly reads: { readonly site: Site; readonly sentAt: number; readonly now: number } | null;
}

export interface Host {
  readonly member: Member;
  /** Its primary; the workers go on without it. */
  readonly isRunning: boolean;
  /** Monotonic; it may go slower than the database's. */
  readonly clock: number;
  readonly calls: Readonly<Record<Way, Call | null>>;
  /** Of its workers: open or not, and whether a request is in flight. */
  readonly gate: boolean;
  readonly busy: boolean;
  /** What the workers know of the lease. */
  readonly workersDeadline: number;
  readonly run: OwnRun | null;
  /** An exclusive handler is at work in a worker, or the command of `exec` somewhere. */
  readonly handler: boolean;
  /** Somebody waits here for a hold of all hosts. */
  readonly waits: boolean;
  /** It writes the differences of a mirror under this epoch. */
  readonly writes: number | null;
  readonly former: Former | null;
  readonly hasReplaced: boolean;
  /** Requests of a primary that does not wait for their answers any more. */
  readonly strays: readonly Call[];
  /** Its incarnations may be replaced at once: their primaries are dead, or waited for. */
  readonly replaces: string | null;
  /** Of the mutant that hands over what it knew before. */
  readonly noted: Member | null;
}

export interface State {
  readonly now: number;
  readonly site: Site;
  /** MongoDB cannot be reached. */
  readonly isAway: boolean;
  readonly fence: { readonly epoch: number; readonly owner: string };
  readonly hosts: Readonly<Record<string, Host>>;
  readonly left: Budget;
  /** A mirror has written a part: nobody may see the collection. */
  readonly isPart: boolean;
  /** A host has finished what another began. */
  readonly isFinishedByOther: boolean;
  /** Set by a move that breaks a promise as it happens. */
  readonly broken: string | null;
}

/** How often each may still happen, so that there is an end. */
export interface Budget {
  readonly ticks: number;
  readonly claims: number;
  readonly holds: number;
  readonly stops: number;
  readonly outages: number;
  /** Requests and answers that are late, and that are lost. */
  readonly late: number;
  readonly losses: number;
  /** Ticks that a host's clock misses: one in a lease is what the drift allows. */
  readonly slow: number;
  /** Primaries that are replaced, and that are killed. */
  readonly handovers: number;
  readonly deaths: number;
}

export interface Settings {
  readonly hosts: number;
  readonly kinds: readonly RunKind[];
  readonly left: Budget;
  readonly onPartition?: SiteRules['onPartition'];
  /** A primary that is stopped never goes on. */
  readonly dies?: boolean;
}

/** What a mutant changes: each is a fault that somebody could build in. */
export interface Faults {
  readonly step?: (real: typeof siteStep, ...given: Parameters<typeof siteStep>) => SiteStep;
  /** The lease is counted from the answer. */
  readonly countsFromAnswer?: boolean;
  /** A run begins on an answer that comes after the deadline. */
  readonly beginsLate?: boolean;
  /** Workers do not end themselves after deadline and grace. */
  readonly outlives?: boolean;
  /** Workers know no deadline. */
  readonly knowsNoDeadline?: boolean;
  /** A host opens before it has read the document that it joins. */
  readonly opensEarly?: boolean;
  /** An answer that is older than what was seen is believed. */
  readonly believesOld?: boolean;
  /** An owner asks to begin before it has seen everybody at rest. */
  readonly asksUnready?: boolean;
  /** The fence asks for the epoch alone. */
  readonly fenceWithoutOwner?: boolean;
  /** A take-over writes the owner first, and the epoch with a second write. */
  readonly takesOverTwice?: boolean;
  /** A run that was taken over may end before its new owner has taken the fence. */
  readonly endsUnfenced?: boolean;
  /** The successor reports its own workers at rest, whatever those of the former primary do. */
  readonly restsAlone?: boolean;
  /** A primary joins while workers of a former one are at work. */
  readonly joinsBeside?: boolean;
  /** The former primary goes on as the member as well. */
  readonly bothAreMember?: boolean;
  /** The successor counts the lease from when it takes over. */
  readonly countsFromHandover?: boolean;
  /** What is handed over was noted before the former primary wrote for the last time. */
  readonly handsOverOld?: boolean;
  /** The former primary counts the lease that it has read from when the answer came. */
  readonly countsFromReading?: boolean;
}

/** A request is in flight in a worker, whoever its primary is. */
export function isBusy({ busy, former }: Host): boolean {
  return busy || former?.busy === true;
}

export function isOpen({ gate, former }: Host): boolean {
  return gate || former?.gate === true;
}

/** Further back than this makes no difference. */
const past = -5;

/** Times as distances, versions by their rank: what differs only in these is the same. */
export function keyOf(state: State, names: readonly string[]): string {
  const { now, site, hosts, left, isAway, fence, isPart, isFinishedByOther, broken } = state;
  const sites = names.flatMap((host) => {
    const { member, calls, former, noted } = hosts[host]!;
    return [
      member.site!,
      former?.member.site ?? [],
      former?.reads?.site ?? [],
      noted?.site ?? [],
      ...ways.flatMap((way) => calls[way]?.answer?.site ?? []),
    ].flat();
  });
  const versions = [...new Set([site, ...sites].map(({ version }) => version))].sort((a, b) => a - b);
  const ofSite = ({ version, epoch, operator, scheduled, run, hosts: members }: Site): unknown => [
    versions.indexOf(version),
    epoch,
    operator === null ? 0 : [operator.waiters, operator.until === null ? 0 : Math.max(past, operator.until - now)],
    scheduled === null ? 0 : Math.max(past, scheduled.at - now),
    run === null ? 0 : [run.id, run.owner.host, run.owner.incarnation, run.stage, run.epoch, run.shared],
    names.map((host) => {
      const found = members[host];
      return found === undefined ? 0 : [found.incarnation, Math.max(past, found.lease - now), found.rest];
    }),
  ];
  const ofCall = (call: Call | null, clock: number): unknown =>
    call === null
      ? 0
      : [
          call.event,
          Math.max(past, call.sentAt - clock),
          call.answer === null ? 0 : [ofSite(call.answer.site), call.answer.refused],
        ];
  const ofMember = (member: Member, clock: number): unknown => [
    member.ref.incarnation,
    member.site === site ? 0 : ofSite(member.site!),
    Math.max(past, Math.floor(member.deadline) - clock),
  ];
  const ofFormer = ({ member, workersDeadline, reads, gate, busy }: Former, clock: number): unknown => [
    ofMember(member, clock),
    Math.max(past, workersDeadline - clock),
    reads === null ? 0 : [ofSite(reads.site), Math.max(past, reads.sentAt - clock), Math.max(past, reads.now - now)],
    gate,
    busy,
  ];
  const ofHost = ({ member, clock, calls, workersDeadline, former, strays, noted, ...rest }: Host): unknown => [
    ofMember(member, clock),
    Math.max(past, workersDeadline - clock),
    ways.map((way) => ofCall(calls[way], clock)),
    former === null ? 0 : ofFormer(former, clock),
    strays.map(({ event }) => event),
    noted === null ? 0 : ofMember(noted, clock),
    rest,
  ];
  const rest = [left, isAway, fence, isPart, isFinishedByOther, broken];
  return JSON.stringify([ofSite(site), rest, names.map((host) => ofHost(hosts[host]!))]);
}
