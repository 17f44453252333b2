/** Estimates how long a pause lasts, for `Retry-After`. Pure. */
import type { Progress } from '../../protocol/api/runs.ts';
import type { State, Time } from './machine/state.ts';

/** The estimate without any data, ms. */
const unknown = 5_000;
/** The estimate for an operator hold without an end, ms. */
const operatorGuess = 60_000;

export interface History {
  /** How long the last run paused the cluster, ms; null if there was none. */
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

/** `elapsed`: how long the run has held the gates shut, ms. */
function runLeft(elapsed: number, progress: Progress | undefined, history: History): number {
  if (progress?.eta !== undefined && (progress.step === 'scan' || progress.step === 'write')) return progress.eta;
  const expected = history.lastPaused ?? unknown;
  // After the expected time, it may well take as long again.
  return elapsed < expected ? expected - elapsed : elapsed;
}
