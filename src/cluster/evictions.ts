/** Which hosts were taken out of the cluster because their leases were over, as one host sees it. Pure. */
import type { SiteRules } from './document.ts';
import { isIn, type Member } from './member.ts';

export type EvictedHost = 'this_host' | 'other_host';

/**
 * One for each host that was evicted between two views of the site document. A host that leaves, or that its next primary
 * replaces, does that while its lease is good; with `on_partition: 'serve'` also later, since nobody evicts it.
 *
 * @param serverNow the database's clock, ms
 */
export function evictionsBetween(
  before: Member,
  after: Member,
  serverNow: number,
  { evictionGrace, onPartition }: Pick<SiteRules, 'evictionGrace' | 'onPartition'>,
): EvictedHost[] {
  const [old, site] = [before.site, after.site];
  // Where the document was lost, all hosts join anew, and nobody was evicted.
  if (old === null || site === null || old.identity !== site.identity || !isIn(before)) return [];
  // What it knows of the leases of the others is older than its own.
  if (!isIn(after)) return ['this_host'];
  // The last renewal that this host knows is the last one there was: it has been there itself all the time.
  const gone = Object.entries(old.hosts).filter(
    ([host, { incarnation, lease }]) =>
      isGone(site.hosts[host]?.incarnation, incarnation, onPartition) && serverNow > lease + evictionGrace,
  );
  return gone.map(() => 'other_host');
}

/** An evicted host may have joined again by the time. */
function isGone(now: string | undefined, before: string, onPartition: SiteRules['onPartition']): boolean {
  return onPartition === 'serve' ? now === undefined : now !== before;
}
