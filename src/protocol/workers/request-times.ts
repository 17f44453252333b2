/**
 * How long requests took, counted in buckets: the data of a Prometheus histogram. Workers count, the primary
 * adds up.
 */

/** Upper bounds, ms; the default buckets of Prometheus' client libraries. Longer times go into one more bucket. */
export const requestBounds = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

export const requestBuckets = requestBounds.length + 1;

/** Since the worker started; `counts` has one number per bucket, not cumulative; `sum` is in ms. */
export interface RequestTimes {
  readonly counts: number[];
  sum: number;
}

export function noRequestTimes(): RequestTimes {
  return { counts: Array.from({ length: requestBuckets }, () => 0), sum: 0 };
}

/** On the hot path of every request. */
export function countTime(times: RequestTimes, ms: number): void {
  let bucket = 0;
  while (bucket < requestBounds.length && ms > requestBounds[bucket]!) bucket++;
  times.counts[bucket]!++;
  times.sum += ms;
}
