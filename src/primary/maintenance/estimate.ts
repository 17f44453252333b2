/** How long a pause is expected to last: what `Retry-After` says. Pure. */
import type { Progress } from '../../protocol/runs.ts';
import type { State, Time } from './state.ts';

/** A guess where nothing is known, ms. */
const unknown = 5_000;
/** Nobody knows when an operator ends a hold; ms. */
const operatorGuess = 60_000;

export interface History {
  /** How long the last run paused the cluster, ms; null where there was none. */
  readonly lastPaused: number | null;
}

/** Milliseconds from `now` until requests are likely to be served again. */
export function estimatePause(state: State, progress: Progress | undefined, history: History, now: Time): number {
  const { operator, run } = state;
  const operatorLeft = operator === null ? 0 : operator.until === null ? operatorGuess : operator.until - now.wall;
  return Math.max(
    operatorLeft,
    run === null || run.held === null ? 0 : runLeft(now.monotonic - run.held.monotonic, progress, history),
    0,
  );
}

/** `elapsed`: how long it has held the gates shut, ms. */
function runLeft(elapsed: number, progress: Progress | undefined, history: History): number {
  if (progress?.eta !== undefined && (progress.step === 'scan' || progress.step === 'write')) return progress.eta;
  const expected = history.lastPaused ?? unknown;
  // Past what was expected, it may well take as long again as it has taken.
  return elapsed < expected ? expected - elapsed : elapsed;
}
