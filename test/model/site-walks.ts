import type { Budget } from './site-parts.ts';
import type { Weigh } from './explore.ts';

export const budget: Budget = { claims: 3, stops: 2, losses: 2, slow: 1, outages: 1, holds: 1, late: 6, ticks: 40 };

/** What ends a story soon is rare, and time passes: else nothing is ever evicted. */
const weights: readonly (readonly [ending: string, weight: number])[] = [
  ['a tick', 2],
  ['goes on', 0.15],
  ['is stopped', 0.5],
  ['request ends', 0.3],
  ['handler ends', 0.2],
  ['command ends', 0.05],
  ['is lost', 0.1],
  ['times out', 0.3],
  ['goes away', 0.05],
  ['is late', 0.8],
  ['writes a batch', 0.3],
  ['writes the last batch', 0.3],
];
export const weigh: Weigh = (name) => weights.find(([ending]) => name.endsWith(ending))?.[1] ?? 1;
