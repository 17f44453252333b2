/**
 * How a host stays the same member when its primary is replaced. Pure.
 *
 * member ──its successor can take over──▶ former (reads the document only)        successor: member, under the same incarnation
 *
 * The former primary sends one last renewal and then writes nothing more to the document. Its successor begins with the
 * newest document that the former one has seen, and with its deadline, so its gates may open at once. It reports its workers at
 * rest only when the former primary and its workers have gone. Until then those workers keep the deadline of the leases that the
 * successor renews: the former primary reads them.
 */
import type { Site, SiteRules } from './document.ts';
import { drift, isIn, type Member } from './member.ts';

/** What a primary hands over to its successor. */
export interface Membership {
  readonly incarnation: string;
  /** On CLOCK_MONOTONIC, ms: counted from the last renewal, whatever `on_partition` is. */
  readonly deadline: number;
  /** The newest document that the former primary has seen. */
  readonly site: Site;
}

/** The successor as it begins. @param member under the incarnation that was handed over */
export function inherited(member: Member, { site, deadline }: Membership, rules: SiteRules): Member {
  return { ...member, site, deadline: rules.onPartition === 'serve' ? Infinity : deadline };
}

/**
 * What a former primary makes of the document that it has read: its workers may finish as long as their host counts.
 *
 * @param sentAt just before the document was asked for, on this host's clock
 * @param now when it was read, on the database's clock
 */
export function observed(member: Member, sentAt: number, now: number, rules: SiteRules): Member {
  const { site, ref } = member;
  if (site === null || !isIn(member)) return member;
  const left = site.hosts[ref.host]!.lease - now;
  const deadline = rules.onPartition === 'serve' ? Infinity : sentAt + left * (1 - drift);
  return { ...member, deadline: Math.max(member.deadline, deadline) };
}
