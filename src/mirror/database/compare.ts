/** Compares the documents of the collection with the feed and fills the plan. */
import type { ClientSession, Timestamp } from 'mongodb';
import { driverValue } from '../bson/driver-value.ts';
import { bareElement } from '../bson/elements.ts';
import { FeedFaults } from '../feed/feed-faults.ts';
import type { Plan, TouchedKeys } from '../plan.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { scan, type ScanOptions, type TakeDocument } from './scan.ts';
import type { Target } from './target.ts';

const keysAtOnce = 5000;
const keyBytesAtOnce = 4 * 1024 * 1024;

/**
 * Reads the whole collection into a new plan. `since`: the read includes all writes up to this operation time, and no
 * write that a failover could roll back.
 */
export async function compareAll(
  { db, collection, filter, exists }: Target,
  plan: Plan,
  session: ClientSession,
  onBatch: (count: number) => void,
  since?: Timestamp,
): Promise<void> {
  const find = since ? { readConcern: { level: 'majority', afterClusterTime: since } } : {};
  if (exists) await scan(db, { collection, filter, session, find }, plan.take, onBatch);
  plan.finish();
}

/**
 * Compares these keys again with the collection as it is now.
 *
 * @returns the `_id` element of each of these keys that would be inserted
 */
export async function compareTouched(
  target: Target,
  plan: Plan,
  keys: TouchedKeys,
  session: ClientSession,
): Promise<Uint8Array[]> {
  return plan.retouch(keys, (take) => readKeys(target, keys.values(), session, take, { filter: target.filter }));
}

/**
 * Loads the documents that the plan will write into MongoDB's cache. If the collection is larger than the cache, a scan
 * leaves only its end there, and the pause would wait for a disk read for each document.
 */
export async function warmUp(target: Target, plan: Plan, session: ClientSession): Promise<void> {
  // The projection needs the document: for `_id` alone, MongoDB would read only the index.
  if (target.exists) await readKeys(target, plan.keys(), session, () => {}, { projection: { anything: 1 } });
}

/**
 * Checks that a mirror with a scope does not take over a document outside the scope.
 *
 * @param inserted keys that the feed would insert
 * @throws QuiesceError `invalid-feed` if the collection has one of these keys outside the scope
 */
export async function checkOutside(
  target: Target,
  inserted: Iterable<Uint8Array>,
  feed: PreparedFeed,
  session: ClientSession,
): Promise<void> {
  if (!target.filter) return;
  const faults = new FeedFaults(feed.at);
  const take: TakeDocument = (bytes, at, end) => {
    feed.compare(bytes, at, end);
    faults.add(`/${feed.found}`, 'the collection has a document with this key outside the scope of this mirror');
  };
  // Only outside: a document with such a key that the app inserted inside the scope meanwhile does no harm.
  await readKeys(target, inserted, session, take, { filter: { $nor: [target.filter] } });
  faults.check();
}

async function readKeys(
  { db, collection }: Target,
  keys: Iterable<Uint8Array>,
  session: ClientSession,
  take: TakeDocument,
  { filter, projection }: Pick<ScanOptions, 'filter' | 'projection'> = {},
): Promise<void> {
  let some: unknown[] = [];
  let bytes = 0;
  const read = async (): Promise<void> => {
    if (some.length > 0)
      await scan(db, { collection, filter: { ...filter, _id: { $in: some } }, projection, session }, take, () => {});
    some = [];
    bytes = 0;
  };
  for (const key of keys) {
    some.push(driverValue(bareElement(key)));
    bytes += key.length;
    if (some.length === keysAtOnce || bytes > keyBytesAtOnce) await read();
  }
  await read();
}
