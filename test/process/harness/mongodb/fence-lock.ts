import type { TestDatabase } from './mongo.ts';

/**
 * Keeps a run from writing to `resources` until the returned function is called: a transaction of ours has touched the
 * fence that it has to take first, and MongoDB lets it wait for the end of that. `id`: another document of the fences.
 */
export async function lockFence({ db }: TestDatabase, id = 'resources'): Promise<() => Promise<void>> {
  const fences = db.collection<{ _id: string }>('quiesce.fence');
  await fences.updateOne({ _id: id }, id === 'resources' ? { $max: { epoch: 0 } } : { $set: {} }, { upsert: true });
  const session = db.client.startSession();
  session.startTransaction();
  await fences.updateOne({ _id: id }, { $inc: { locks: 1 } }, { session });
  return async () => {
    await session.abortTransaction();
    await session.endSession();
  };
}

/** Whether somebody waits for {@link lockFence}. */
export async function blockedAtFence({ db, name }: TestDatabase): Promise<boolean> {
  const operations = [{ $currentOp: {} }, { $match: { ns: `${name}.quiesce.fence`, writeConflicts: { $gt: 0 } } }];
  return (await db.admin().command({ aggregate: 1, pipeline: operations, cursor: {} }))['cursor'].firstBatch.length > 0;
}
