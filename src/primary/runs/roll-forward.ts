/** Tries again and again until what stopped half-way is whole. */
import { setTimeout as delay } from 'node:timers/promises';
import { QuiesceError } from '../../errors.ts';
import { MirrorError } from '../../mirror/handle.ts';

/** ms */
const firstWait = 500;
const longestWait = 30_000;

export interface RollForward {
  attempt(): Promise<void>;
  /** Before each wait (ms), with what went wrong last. */
  onFailure(error: unknown, wait: number): void;
  /** Given up: nothing is attempted any more. */
  readonly signal: AbortSignal;
}

/**
 * Resolves with whether it is whole; false where it was given up.
 * @throws QuiesceError `fenced`: a newer primary has taken the collection over
 */
export async function rollForward(first: unknown, { attempt, onFailure, signal }: RollForward): Promise<boolean> {
  let error = first;
  for (let wait = firstWait; ; wait = Math.min(2 * wait, longestWait)) {
    onFailure(error, wait);
    try {
      await delay(wait, undefined, { signal, ref: false });
      await attempt();
      return !signal.aborted;
    } catch (next) {
      if (signal.aborted) return false;
      if (isFenced(next)) throw next;
      error = next;
    }
  }
}

/** Whether the collection may hold a part of the feed. `begun`: a former primary had begun to write. */
export function isHalfDone(begun: boolean, error: unknown): boolean {
  return !isFenced(error) && (begun || (error instanceof MirrorError && error.dirty));
}

function isFenced(error: unknown): boolean {
  return error instanceof QuiesceError && error.code === 'fenced';
}
