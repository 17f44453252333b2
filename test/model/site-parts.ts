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
}

export interface Settings {
  readonly hosts: number;
  readonly kinds: readonly RunKind[];
  readonly left: Budget;
  readonly onPartition?: SiteRules['onPartition'];
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
}

/** Further back than this makes no difference. */
const past = -5;

/** Times as distances, versions by their rank: what differs only in these is the same. */
export function keyOf(state: State, names: readonly string[]): string {
  const { now, site, hosts, left, isAway, fence, isPart, isFinishedByOther, broken } = state;
  const sites = names.flatMap((host) => {
    const { member, calls } = hosts[host]!;
    return [member.site!, ...ways.flatMap((way) => calls[way]?.answer?.site ?? [])];
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
  const ofHost = ({ member, clock, calls, workersDeadline, ...rest }: Host): unknown => [
    member.ref.incarnation,
    member.site === site ? 0 : ofSite(member.site!),
    Math.max(past, Math.floor(member.deadline) - clock),
    Math.max(past, workersDeadline - clock),
    ways.map((way) => ofCall(calls[way], clock)),
    rest,
  ];
  const rest = [left, isAway, fence, isPart, isFinishedByOther, broken];
  return JSON.stringify([ofSite(site), rest, names.map((host) => ofHost(hosts[host]!))]);
}
