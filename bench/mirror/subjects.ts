/** The ways to mirror a feed that are compared. `pause`: what must not be served through, ms. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { AnyBulkWriteOperation, Collection, MongoClient } from 'mongodb';
import { MirrorThread } from '#quiesce/mirror/handle.js';
import { operations, type Change, type Item } from './data.ts';

export interface Work {
  readonly client: MongoClient;
  readonly uri: string;
  readonly db: string;
  readonly collection: Collection<Item>;
  readonly change: Change;
  readonly feed: string;
  readonly folder: string;
  /** Grows with each run. */
  readonly round: number;
}

export interface Taken {
  readonly pause: number;
  readonly total: number;
}

export type Subject = (work: Work) => Promise<Taken>;

async function read(feed: string): Promise<Item[]> {
  const items = JSON.parse(await readFile(feed, 'utf8')) as ({ id: number } & Omit<Item, '_id'>)[];
  return items.map(({ id, ...rest }) => ({ _id: id, ...rest }));
}

async function inBatches<T>(all: readonly T[], write: (some: T[]) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < all.length; i += 10_000) await write(all.slice(i, i + 10_000));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The driver's raw cursor over everything, then exactly the changes in one bulk. */
async function cursorAndBulk({ collection, change }: Work): Promise<Taken> {
  const writes = operations(change);
  const total = await timed(async () => {
    for await (const _ of collection.find({}, { raw: true }));
    if (writes.length > 0) await inBatches(writes, (some) => collection.bulkWrite(some, { ordered: false }));
  });
  return { pause: total, total };
}

/** Exactly the changes in one bulk, by somebody who knew them. */
async function bulk({ collection, change }: Work): Promise<Taken> {
  const writes = operations(change);
  const total = await timed(async () => inBatches(writes, (some) => collection.bulkWrite(some, { ordered: false })));
  return { pause: total, total };
}

/** The mirror of the Q&A: delete what the feed has not, upsert everything, the server closed meanwhile. */
async function naive({ collection, feed }: Work): Promise<Taken> {
  const start = performance.now();
  const items = await read(feed);
  const pause = await timed(async () => {
    await collection.deleteMany({ _id: { $nin: items.map(({ _id }) => _id) } });
    await inBatches(items, (some) =>
      collection.bulkWrite(
        some.map((one) => ({ replaceOne: { filter: { _id: one._id }, replacement: one, upsert: true } })),
        { ordered: false },
      ),
    );
  });
  return { pause, total: performance.now() - start };
}

/** Read everything, compare objects, write what differs. */
async function deepEqual({ collection, feed }: Work): Promise<Taken> {
  const start = performance.now();
  const items = new Map((await read(feed)).map((one) => [one._id, one]));
  const pause = await timed(async () => {
    const writes: AnyBulkWriteOperation<Item>[] = [];
    for await (const stored of collection.find()) {
      const wanted = items.get(stored._id);
      if (!wanted) writes.push({ deleteOne: { filter: { _id: stored._id } } });
      else if (!isDeepStrictEqual(wanted, stored))
        writes.push({ replaceOne: { filter: { _id: stored._id }, replacement: wanted } });
      items.delete(stored._id);
    }
    for (const document of items.values()) writes.push({ insertOne: { document } });
    await inBatches(writes, (some) => collection.bulkWrite(some, { ordered: false }));
  });
  return { pause, total: performance.now() - start };
}

async function stage({ client, db, collection, feed }: Work): Promise<Collection<Item>> {
  const staging = client.db(db).collection<Item>(`${collection.collectionName}-staging`);
  await staging.drop();
  await inBatches(await read(feed), (some) => staging.insertMany(some, { ordered: false }));
  return staging;
}

/** A staged copy, merged by the server. */
async function stageAndMerge(work: Work): Promise<Taken> {
  const start = performance.now();
  const staging = await stage(work);
  const into = work.collection.collectionName;
  const pause = await timed(async () => {
    await staging
      .aggregate([{ $merge: { into, on: '_id', whenMatched: 'replace', whenNotMatched: 'insert' } }])
      .toArray();
    const gone = await work.collection
      .aggregate<{ _id: number }>([
        {
          $lookup: {
            from: staging.collectionName,
            localField: '_id',
            foreignField: '_id',
            as: 'kept',
            pipeline: [{ $project: { _id: 1 } }],
          },
        },
        { $match: { kept: [] } },
        { $project: { _id: 1 } },
      ])
      .toArray();
    if (gone.length > 0) await work.collection.deleteMany({ _id: { $in: gone.map(({ _id }) => _id) } });
  });
  await staging.drop();
  return { pause, total: performance.now() - start };
}

/** A staged copy, renamed over the collection. */
async function stageAndRename(work: Work): Promise<Taken> {
  const start = performance.now();
  const staging = await stage(work);
  const pause = await timed(() => staging.rename(work.collection.collectionName, { dropTarget: true }));
  return { pause, total: performance.now() - start };
}

let thread: MirrorThread | null = null;

function quiesce(strategy: 'scan' | 'two-phase' | 'swap'): Subject {
  return async ({ uri, db, collection, feed, folder, round }) => {
    thread ??= new MirrorThread({ onProgress: () => {}, log: { warn: () => {} } });
    const run = `bench-${process.pid}-${round}`;
    const start = performance.now();
    const prepared = await thread.prepare({
      run,
      owner: 'bench',
      spool: feed,
      format: 'json',
      coding: 'identity',
      uri,
      db,
      collection: collection.collectionName,
      key: 'id',
      extendedJson: false,
      maxBytes: 2 ** 40,
      strategy,
      atomic: 'auto',
      databaseTimeout: 60_000,
      conflictTimeout: 5000,
      workDir: join(folder, 'work'),
    });
    let pause = 0;
    if (!prepared.needsPause) await thread.cancel(run);
    else {
      // Epochs have to grow over all the processes of the bench.
      pause = await timed(() => thread!.write(run, Math.floor(Date.now() / 10)));
    }
    return { pause, total: performance.now() - start };
  };
}

export const subjects = {
  'cursor and bulk': cursorAndBulk,
  bulk,
  naive,
  'deep equal': deepEqual,
  'stage and merge': stageAndMerge,
  'stage and rename': stageAndRename,
  scan: quiesce('scan'),
  'two-phase': quiesce('two-phase'),
  swap: quiesce('swap'),
} satisfies Record<string, Subject>;
export type SubjectName = keyof typeof subjects;

export async function close(): Promise<void> {
  await thread?.close();
}
