/** The epoch that a run takes the fence with. */
import type { Work } from './report.ts';

/**
 * Above all that the fence had seen when the run was prepared, whoever that was: a data directory may be new, or a dump
 * restored. Resolves once a later primary would know of it, since that one has to choose a larger one.
 */
export async function reserveEpoch(work: Work, epoch: number, keep: () => Promise<void>): Promise<number> {
  const least = Math.max(epoch, work.prepared!.fenceEpoch + 1);
  if (work.reserved !== undefined && work.reserved >= least) return least;
  work.reserved = least;
  await keep();
  return least;
}
