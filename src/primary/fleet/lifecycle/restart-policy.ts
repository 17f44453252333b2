/**
 * Decides when a slot whose worker is gone gets its next one. Pure.
 *
 * PM2's fields keep PM2's meaning: an end before `min_uptime` is unstable, `restart_delay` and
 * `exp_backoff_restart_delay` say how long to wait. In addition, unstable ends always back off. As in OTP's restart
 * intensity, more than `max_restarts` within a period are a loop, however long each worker lived. A looping slot is
 * tried again at the longest delay until one of its workers proves steady.
 */
import type { ExitCause } from '../../../protocol/api/runs.ts';

export interface RestartSettings {
  /** ms */
  readonly minUptime: number;
  readonly maxRestarts: number;
  /** ms */
  readonly restartDelay: number;
  /** First delay of the exponential backoff, ms; 0: only unstable ends back off. */
  readonly expBackoffRestartDelay: number;
}

/** The record of how the workers of a slot ended. */
export interface RestartRecord {
  /** Unstable ends in a row. */
  readonly streak: number;
  /** Times of the faults within {@link period}, oldest first. */
  readonly recent: readonly number[];
  /** More than `maxRestarts` faults within the period, and no steady worker since. */
  readonly looping: boolean;
}

export interface RestartDecision {
  readonly record: RestartRecord;
  /** ms until the next fork; 0 means at once. */
  readonly delay: number;
}

export const emptyRecord: RestartRecord = { streak: 0, recent: [], looping: false };
/** The time within which `max_restarts` are counted, ms. */
export const period = 60_000;
/** PM2's ceiling of the exponential backoff, ms. */
export const longestDelay = 15_000;
/** A worker that lived this long, ms, ends a loop. PM2 resets its exponential backoff after the same time. */
export const steadyAfter = 30_000;
const firstDelay = 100;

/**
 * `always`: unstable whatever its uptime; `young`: unstable before `min_uptime`, and a fault in any case; `young-only`:
 * no fault after `min_uptime`; `never`: nothing went wrong.
 */
const blame: Readonly<Record<ExitCause, 'always' | 'young' | 'young-only' | 'never'>> = {
  'boot-failure': 'always',
  crash: 'young',
  heartbeat: 'young',
  killed: 'young',
  planned: 'young-only',
  memory: 'never',
};

/**
 * Decides about the successor of a worker that ended although nobody requested it.
 *
 * @param uptime ms since it was ready; 0 if it never was
 * @param now ms, on the same clock as the record
 * @param random in [0, 1): spreads the restarts of workers that fail together
 */
export function decideRestart(
  before: RestartRecord,
  end: { cause: ExitCause; uptime: number },
  settings: RestartSettings,
  now: number,
  random: number,
): RestartDecision {
  const rule = blame[end.cause];
  if (rule === 'never') return { record: before, delay: settings.restartDelay };

  const steady = rule !== 'always' && end.uptime >= steadyAfter;
  const youth = settings.expBackoffRestartDelay > 0 ? steadyAfter : settings.minUptime;
  const unstable = rule === 'always' || end.uptime < youth;
  const fault = unstable || rule === 'young';
  const recent = before.recent.filter((at) => now - at < period);
  if (fault) recent.push(now);
  const looping = (before.looping && !steady) || recent.length > settings.maxRestarts;
  const record: RestartRecord = { streak: unstable ? before.streak + 1 : 0, recent, looping };

  if (looping) return { record, delay: Math.max(settings.restartDelay, spread(longestDelay, random)) };
  if (!unstable) return { record, delay: settings.restartDelay };
  const first = settings.expBackoffRestartDelay || Math.max(firstDelay, settings.restartDelay);
  const grown = Math.min(longestDelay, first * 2 ** (record.streak - 1));
  return { record, delay: Math.max(settings.restartDelay, spread(grown, random)) };
}

/** A delay between three quarters of the given one and all of it. */
export function spread(delay: number, random: number): number {
  return Math.round(delay * (0.75 + 0.25 * random));
}
