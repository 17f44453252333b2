import type { TestDatabase } from './mongo.ts';

/**
 * Keeps a run from going on where it writes this document of `resources`, until the returned function is called: a
 * transaction of ours has written it, so every batch that holds it is in conflict. What comes before is written.
 */
export async function lockDocument({ db }: TestDatabase, _id: unknown): Promise<() => Promise<void>> {
  const session = db.client.startSession();
  session.startTransaction();
  await db.collection('resources').updateOne({ _id } as object, { $set: { locked: true } }, { session });
  return async () => {
    await session.abortTransaction();
    await session.endSession();
  };
}
