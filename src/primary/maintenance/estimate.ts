/** Estimates how long a pause lasts, for `Retry-After`. Pure. */
import type { Progress } from '../../protocol/api/runs.ts';
import type { OperatorHold, State, Time } from './machine/state.ts';

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
  const { operator, run, site } = state;
  return Math.max(
    operatorLeft(operator, now),
    operatorLeft(site?.operator ?? null, now),
    run === null || run.held === null ? 0 : runLeft(now.monotonic - run.held.monotonic, progress, history),
    othersLeft(state, history, now),
    0,
  );
}

function operatorLeft(hold: OperatorHold | null, now: Time): number {
  if (hold === null) return 0;
  return hold.until === null ? operatorGuess : hold.until - now.wall;
}

/** For the run of another host, or until this host is in the cluster again. Neither tells its progress here. */
function othersLeft({ site, run }: State, history: History, now: Time): number {
  if (site === null || site.kind === 'operator') return 0;
  if (site.kind === 'cluster') return unknown;
  const isOwn = run !== null && run.held !== null && run.id === site.run;
  // The wall clock may have been set back since.
  return isOwn ? 0 : runLeft(Math.max(0, now.wall - site.since), undefined, history);
}

/** `elapsed`: how long the run has held the gates shut, ms. */
function runLeft(elapsed: number, progress: Progress | undefined, history: History): number {
  if (progress?.eta !== undefined && (progress.step === 'scan' || progress.step === 'write')) return progress.eta;
  const expected = history.lastPaused ?? unknown;
  // After the expected time, it may well take as long again.
  return elapsed < expected ? expected - elapsed : elapsed;
}
