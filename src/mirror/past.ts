/** What a run has written that a former primary had begun: the fence knows, whatever has become of the feed. */
import type { Clients } from './database/clients.ts';
import { Fence } from './database/fence.ts';
import { patiently } from './database/patience.ts';
import { dropLeftovers } from './database/swap.ts';
import type { MirrorJob, Past } from './messages.ts';

/**
 * The fence is taken first: a former primary that still lives must not write after it was said that it has not. It is not
 * taken from another run that has a newer epoch.
 *
 * @throws QuiesceError `fenced`
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
