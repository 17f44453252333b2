/** Chooses the epoch with which a run takes the fence. */
import type { Journal } from './journal.ts';
import type { Work } from '../history/report.ts';

/**
 * Larger than any epoch that the fence had seen when the run was prepared, whichever primary it was: a data directory
 * may be new, or a dump restored. Resolves once the epoch is stored, so that a later primary knows that it needs a
 * larger one.
 *
 * A later primary may have read the journal before that. So the lock is checked at the end, even if the epoch was
 * stored long ago.
 *
 * @throws QuiesceError `lock-lost`
 */
export async function reserveEpoch(
  work: Work,
  epoch: number,
  keep: () => Promise<void>,
  journal: Pick<Journal, 'mustHold'>,
): Promise<number> {
  const least = Math.max(epoch, work.prepared!.fenceEpoch + 1);
  if (work.reserved === undefined || work.reserved < least) {
    work.reserved = least;
    await keep();
  }
  journal.mustHold();
  return least;
}
