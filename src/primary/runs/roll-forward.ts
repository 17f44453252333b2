/** Tries again and again until what stopped half-way is whole. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { QuiesceError, toQuiesceError } from '../../errors.ts';
import { MirrorError } from '../../mirror/handle.ts';
import type { Past, Written } from '../../mirror/messages.ts';
import type { Counts } from '../../protocol/runs.ts';
import type { RunStore } from './history.ts';
import type { Work } from './report.ts';

/** ms */
const firstWait = 500;
const longestWait = 30_000;

export interface RollForward {
  attempt(): Promise<void>;
  /** Before each wait (ms), with what went wrong last. */
  onFailure(error: unknown, wait: number): void;
  /** Whether the collection may hold a part of the feed after this error. */
  isHalfDone(error: unknown): Promise<boolean>;
  /** Given up: nothing is attempted any more. */
  readonly signal: AbortSignal;
}

/**
 * Resolves with whether it is whole; false where it was given up.
 * Rejects with what went wrong last where nothing is half done any more: nothing was ever written, or a newer primary has
 * taken the collection over.
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
 * Whether the collection may hold a part of the feed. A former primary said that it was about to write; whether it came to
 * that is asked of the fence, or a feed that will never be taken would keep the gates shut for nothing.
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
    return !isFenced(fault); // nobody knows, so it may
  }
}

function isFenced(error: unknown): boolean {
  return error instanceof QuiesceError && error.code === 'fenced';
}

/** `wait`: until the next attempt, ms. */
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

/** It need not be written again, even where its feed is not there any more. */
export function finishedBefore(counts: Counts): Written {
  return { counts, strategy: 'scan', scanMs: 0, writeMs: 0 };
}
