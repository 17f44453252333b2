/** A mirror with a scope must not take over a document that lies outside it. */
import type { ClientSession, Document } from 'mongodb';
import { FeedFaults } from '../feed/feed-faults.ts';
import type { Plan } from '../plan.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { decode } from './raw-command.ts';
import { scan } from './scan.ts';
import type { Target } from './target.ts';

const keysAtOnce = 5000;

/** @throws QuiesceError `invalid-feed` where the collection has a key outside the scope that the feed would insert */
export async function checkOutside(
  { db, collection, exists }: Target,
  plan: Plan,
  feed: PreparedFeed,
  session: ClientSession,
): Promise<void> {
  if (!exists) return;
  const faults = new FeedFaults();
  const { inserts } = plan;
  for (let from = 0; from < inserts.length; from += keysAtOnce) {
    const keys: unknown[] = [];
    for (let i = from; i < Math.min(from + keysAtOnce, inserts.length); i++)
      keys.push(idOf(feed.document(inserts.at(i))));
    const filter: Document = { _id: { $in: keys } };
    const take = (bytes: Uint8Array, at: number, end: number): void => {
      feed.compare(bytes, at, end);
      faults.add(`/${feed.found}`, 'the collection has a document with this key outside the scope of this mirror');
    };
    await scan(db, { collection, filter, projection: { _id: 1 }, session }, take, () => {});
  }
  faults.check();
}

function idOf(document: Buffer): unknown {
  return decode(document)['_id'];
}
