/** Fills a plan from what the collection holds. */
import type { ClientSession, Timestamp } from 'mongodb';
import { driverValue } from '../bson/driver-value.ts';
import { Elements } from '../bson/elements.ts';
import { FeedFaults } from '../feed/feed-faults.ts';
import type { Plan, TouchedKeys } from '../plan.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { scan, type ScanOptions, type TakeDocument } from './scan.ts';
import type { Target } from './target.ts';

const keysAtOnce = 5000;
const keyBytesAtOnce = 4 * 1024 * 1024;

/**
 * Reads the whole collection into a new plan. `since`: at least all that was written up to this operation time, and
 * nothing that a failover could take back.
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
 * Compares these keys again, as the collection has them now.
 *
 * @returns the `_id` element of each of them that would be inserted
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
 * Has MongoDB hold what the plan will write in its cache. Of a collection that is larger than that, a scan leaves the
 * end only, and the pause would wait for a disk once for each document.
 */
export async function warmUp(target: Target, plan: Plan, session: ClientSession): Promise<void> {
  // For `_id` alone, the index would be enough.
  if (target.exists) await readKeys(target, plan.keys(), session, () => {}, { projection: { anything: 1 } });
}

/**
 * A mirror with a scope must not take over a document that lies outside it.
 *
 * @param inserted keys that the feed would insert
 * @throws QuiesceError `invalid-feed` where the collection has one of them outside the scope
 */
export async function checkOutside(
  target: Target,
  inserted: Iterable<Uint8Array>,
  feed: PreparedFeed,
  session: ClientSession,
): Promise<void> {
  if (!target.filter) return;
  const faults = new FeedFaults();
  const take: TakeDocument = (bytes, at, end) => {
    feed.compare(bytes, at, end);
    faults.add(`/${feed.found}`, 'the collection has a document with this key outside the scope of this mirror');
  };
  // The app may have inserted one inside the scope since it was compared: that is what the feed wants.
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
    some.push(valueOf(key));
    bytes += key.length;
    if (some.length === keysAtOnce || bytes > keyBytesAtOnce) await read();
  }
  await read();
}

/** The value of one element, as the driver's own types. */
function valueOf(element: Uint8Array): unknown {
  const document = Buffer.alloc(element.length + 5);
  document.writeInt32LE(document.length, 0);
  document.set(element, 4);
  const elements = new Elements(document, 0);
  elements.next();
  return driverValue(elements);
}
