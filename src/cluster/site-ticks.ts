/**
 * Which host has won which due time of a schedule; it does that work for all hosts. Pure: a part of `siteStep`, the one
 * function that changes the site document.
 */
import { isSameRef, type Site } from './document.ts';
import { same, type EventOf, type Refusal } from './events.ts';

/** How far a host's clock may be ahead of the database's, ms. Needed because a won time rules out every earlier one. */
export const mostAhead = 60_000;

export function tick(site: Site, { ref, what, at }: EventOf<'tick'>, now: number): Partial<Site> | Refusal {
  const last = site.ticks?.[what];
  if (last !== undefined && last.at === at && isSameRef(last, ref)) return same;
  if (last !== undefined && last.at >= at) return 'over';
  if (at > now + mostAhead) return 'not-yet';
  return { ticks: { ...site.ticks, [what]: { at, ...ref } } };
}

/** The later tick of both documents for each schedule, so that no tick is won twice after one of them was restored. */
export function mergedTicks(a: Site['ticks'], b: Site['ticks']): Site['ticks'] {
  if (a === undefined || b === undefined) return a ?? b;
  const names = [...Object.keys(a), ...Object.keys(b)];
  const newest = (name: string): NonNullable<Site['ticks']>[string] => {
    const [one, other] = [a[name], b[name]];
    return one !== undefined && (other === undefined || one.at >= other.at) ? one : other!;
  };
  return Object.fromEntries(names.map((name) => [name, newest(name)]));
}
