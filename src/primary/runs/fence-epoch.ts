/** The epoch that a run takes the fence with. */
import type { Journal } from './journal.ts';
import type { Work } from './report.ts';

/**
 * Above all that the fence had seen when the run was prepared, whoever that was: a data directory may be new, or a dump
 * restored. Resolves once a later primary would know of it, since that one has to choose a larger one.
 *
 * Such a primary may have read the journal before: so at the end, and however long ago the epoch was kept, it is asked
 * whether there is one.
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
