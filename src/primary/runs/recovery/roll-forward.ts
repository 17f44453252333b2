/** Repeats a run that stopped half-way until the collection is whole. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { QuiesceError, toQuiesceError } from '../../../errors.ts';
import { MirrorError } from '../../../mirror/handle.ts';
import type { Past, Written } from '../../../mirror/messages.ts';
import type { Counts } from '../../../protocol/api/runs.ts';
import type { RunStore } from '../history/history.ts';
import type { Work } from '../history/report.ts';

/** ms */
const firstWait = 500;
const longestWait = 30_000;

export interface RollForward {
  attempt(): Promise<void>;
  /** Called before each wait (ms), with the last error. */
  onFailure(error: unknown, wait: number): void;
  /** Whether the collection may hold a part of the feed after this error. */
  isHalfDone(error: unknown): Promise<boolean>;
  /** Aborted when the run is given up: no further attempt. */
  readonly signal: AbortSignal;
}

/**
 * Resolves with true if the collection is whole, with false if the run was given up. Rejects with the last error if
 * nothing is half done any more: nothing was ever written, or a newer primary has taken the collection over.
 */
export async function rollForward(
  first: unknown,
  { attempt, onFailure, isHalfDone, signal }: RollForward,
): Promise<boolean> {
  let error = first;
  for (let wait = firstWait; ; wait = Math.min(2 * wait, longestWait)) {
    onFailure(error, wait);
    try {
      await delay(wait, undefined, { signal, ref: false });
      await attempt();
      return !signal.aborted;
    } catch (next) {
      if (signal.aborted) return false;
      if (!(await isHalfDone(next))) throw next;
      error = next;
    }
  }
}

/**
 * Whether the collection may hold a part of the feed. A former primary recorded that it was about to write; the fence
 * knows whether it did. Otherwise a feed that can never be accepted would keep the gates shut for nothing.
 */
export async function isHalfDone(
  work: Pick<Work, 'begunBefore' | 'dirty' | 'past'>,
  error: unknown,
  ask: () => Promise<Past>,
): Promise<boolean> {
  if (isFenced(error)) return false;
  if (error instanceof MirrorError && error.dirty) work.dirty = true;
  if (work.dirty === true || work.begunBefore !== true) return work.dirty === true;
  try {
    work.past ??= await ask();
    return work.past.wrote;
  } catch (fault) {
    return !isFenced(fault); // unknown, so it may
  }
}

function isFenced(error: unknown): boolean {
  return error instanceof QuiesceError && error.code === 'fenced';
}

/** `wait`: time until the next attempt, ms. */
export function tellOfFailure(
  run: string,
  error: unknown,
  wait: number,
  { runs, log }: { readonly runs: RunStore; readonly log: Logger },
): void {
  const problem = toQuiesceError(error, 'run-failed').toProblem();
  const what = `run ${run} stopped half-way and is rolled forward in ${wait} ms: ${problem.detail}`;
  log.error({ run, code: problem.code }, what);
  runs.update(run, { state: 'rolling-forward', error: problem });
}

/** A run that is already written need not be written again, even if its feed is gone. */
export function finishedBefore(counts: Counts): Written {
  return { counts, strategy: 'scan', scanMs: 0, writeMs: 0 };
}
