/** Decides whether, and when, a feed is fetched again after a failure. */
import type { ErrorCode } from '../../errors.ts';

/** The next attempt comes after this long, ms; after the last one the next time of the schedule is waited for. */
const waits = [10_000, 60_000, 300_000];

/** What passes: the same feed may be taken in a moment. What is wrong with a feed itself does not. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'fetch-failed',
  'run-in-progress',
  'paused',
  'no-primary',
  'drain-timeout',
  'database-unavailable',
]);

/**
 * @param failures how many attempts have failed, with this one
 * @param random from 0 to 1: sources that fail together do not come back together
 * @returns ms, or null
 */
export function nextAttempt(code: ErrorCode, failures: number, random: number): number | null {
  const wait = waits[failures - 1];
  return wait === undefined || !passing.has(code) ? null : Math.round(wait * (0.8 + 0.4 * random));
}
