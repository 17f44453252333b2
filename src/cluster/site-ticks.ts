/**
 * What one host does for all of them: who has won which time of a schedule. Pure: part of the one function that changes
 * the site document.
 */
import { isSameRef, type Site } from './document.ts';
import { same, type Refusal, type SiteEvent } from './events.ts';

/** How far a host's clock may be ahead of the database's, ms: a time that is won bars every earlier one. */
export const mostAhead = 60_000;

export function tick(
  site: Site,
  { ref, what, at }: Extract<SiteEvent, { type: 'tick' }>,
  now: number,
): Partial<Site> | Refusal {
  const last = site.ticks?.[what];
  if (last !== undefined && last.at === at && isSameRef(last, ref)) return same;
  if (last !== undefined && last.at >= at) return 'over';
  if (at > now + mostAhead) return 'not-yet';
  return { ticks: { ...site.ticks, [what]: { at, ...ref } } };
}

/** Of both documents: what was won is not won again where one of them is restored. */
export function mergedTicks(a: Site['ticks'], b: Site['ticks']): Site['ticks'] {
  if (a === undefined || b === undefined) return a ?? b;
  const names = [...Object.keys(a), ...Object.keys(b)];
  const newest = (name: string): NonNullable<Site['ticks']>[string] => {
    const [one, other] = [a[name], b[name]];
    return one !== undefined && (other === undefined || one.at >= other.at) ? one : other!;
  };
  return Object.fromEntries(names.map((name) => [name, newest(name)]));
}
