/** Finds out what a run of a former primary has written. The fence knows it, even if the feed is lost. */
import type { Clients } from './database/clients.ts';
import { Fence } from './database/fence.ts';
import { patiently } from './database/write/patience.ts';
import { dropLeftovers } from './database/swap.ts';
import type { MirrorJob, Past } from './messages.ts';

/**
 * Takes the fence first: a former primary that is still alive must not write after this function has reported that it
 * wrote nothing. Does not take the fence from another run that has a newer epoch.
 *
 * @throws QuiesceError `fenced` if another run has a newer epoch
 */
export async function pastOf(job: MirrorJob, epoch: number, clients: Clients): Promise<Past> {
  const client = clients.get(job.uri, job.databaseTimeout);
  const session = client.startSession({ causalConsistency: false });
  try {
    const db = client.db(job.db);
    const fence = new Fence(db, job);
    return await patiently(job.databaseTimeout, new AbortController().signal, async () => {
      await client.connect();
      const own = await fence.ownEpoch();
      const { wrote, finished } = await fence.take(Math.max(epoch, own + 1), session);
      if (finished) return { wrote, finished };
      await dropLeftovers(db, job.collection);
      const renamed = await fence.renamed();
      return { wrote: wrote || renamed !== null, finished: renamed };
    });
  } finally {
    await session.endSession();
  }
}
