import type { Budget } from './site-parts.ts';
import type { Weigh } from './explore.ts';

/** Nothing happens. */
export const none: Budget = {
  claims: 0,
  stops: 0,
  losses: 0,
  slow: 0,
  outages: 0,
  holds: 0,
  late: 0,
  ticks: 0,
  handovers: 0,
  deaths: 0,
};

export const budget: Budget = {
  claims: 3,
  stops: 2,
  losses: 2,
  slow: 1,
  outages: 1,
  holds: 1,
  late: 6,
  ticks: 40,
  handovers: 2,
  deaths: 1,
};

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
  ['hands over to a new primary', 0.1],
  ['its primary is killed', 0.02],
  ['the former primary has gone', 0.1],
  ['ends its request', 0.3],
  ['writes a batch', 0.3],
  ['writes the last batch', 0.3],
];
export const weigh: Weigh = (name) => weights.find(([ending]) => name.endsWith(ending))?.[1] ?? 1;

/** Primaries are replaced and killed often, and one host renews its lease late. */
const around: readonly (readonly [ending: string, weight: number])[] = [
  ['hands over to a new primary', 2],
  ['its primary is killed', 0.3],
  ['A: renew is applied', 0.05],
  ['a tick', 1],
  ['is stopped', 0.05],
];
export const weighHandover: Weigh = (name) => around.find(([ending]) => name.endsWith(ending))?.[1] ?? weigh(name);
