/**
 * MongoDB's own word on when a collection was written: the change stream of a stretch of time, read afterwards, so that
 * reading it does not disturb what it tells of. The cluster has no part in it.
 */
import type { Db, Timestamp } from 'mongodb';

export interface Written {
  readonly changes: number;
  /** By the server's clock, ms. */
  readonly first: number;
  readonly last: number;
}

/** Undefined where the server is no replica set and has no change streams. */
export async function operationTime(db: Db): Promise<Timestamp | undefined> {
  const { operationTime: time } = await db.command({ ping: 1 });
  return time as Timestamp | undefined;
}

/** What has been written to the collection since; null where nothing has. */
export async function writtenSince(db: Db, since: Timestamp, collection: string): Promise<Written | null> {
  // Whatever happened before the sentinel has been read once the sentinel has.
  const sentinel = 'witness';
  await db.collection(sentinel).insertOne({});
  const pipeline = [
    { $match: { clusterTime: { $gt: since } } },
    { $project: { wallTime: 1, ns: 1, to: 1, operationType: 1 } },
  ];
  const stream = db.watch(pipeline, { startAtOperationTime: since });
  const times: number[] = [];
  for await (const change of stream) {
    if (!('ns' in change) || !('coll' in change.ns)) continue;
    if (change.ns.coll === sentinel) break;
    // A collection that is swapped in by a rename is written, to its readers, at that moment.
    const target = change.operationType === 'rename' ? change.to.coll : change.ns.coll;
    if (target === collection) times.push((change.wallTime ?? new Date(Number.NaN)).getTime());
  }
  const [first, last] = [times[0], times.at(-1)];
  return first === undefined || last === undefined ? null : { changes: times.length, first, last };
}
