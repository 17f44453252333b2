import type { TestDatabase } from './mongo.ts';

/**
 * Keeps a run from writing to `resources` until the returned function is called: a transaction of ours has touched the
 * fence that it has to take first, and MongoDB lets it wait for the end of that.
 */
export async function lockFence({ db }: TestDatabase): Promise<() => Promise<void>> {
  const fences = db.collection<{ _id: string }>('quiesce.fence');
  await fences.updateOne({ _id: 'resources' }, { $max: { epoch: 0 } }, { upsert: true });
  const session = db.client.startSession();
  session.startTransaction();
  await fences.updateOne({ _id: 'resources' }, { $inc: { locks: 1 } }, { session });
  return async () => {
    await session.abortTransaction();
    await session.endSession();
  };
}
