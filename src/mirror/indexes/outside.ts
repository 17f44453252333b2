/** Finds the documents outside the scope of the mirror that have an index key of an item. */
import type { Document } from 'mongodb';
import { driverValue } from '../bson/driver-value.ts';
import { bsonType } from '../bson/elements.ts';
import { isRefusal } from '../database/errors.ts';
import { batchesOf } from '../database/match-items.ts';
import { scan, type TakeDocument } from '../database/scan.ts';
import type { Target } from '../database/target.ts';
import type { RunContext } from '../run-context.ts';
import { partsOf, type Parts, type PlainIndex } from './plain-index.ts';

export interface OutsideOptions {
  readonly context: RunContext;
  readonly target: Target;
  readonly index: PlainIndex;
  /** The items that would be written: MongoDB has checked the stored ones already. */
  readonly items: Iterable<number>;
}

/**
 * Calls back with all documents outside the scope that have a key of the items, and maybe with others.
 *
 * If queries cannot find the key by the index (it is hidden; null in a sparse index; an empty array), all documents outside
 * are read.
 */
export async function readOutside(options: OutsideOptions, take: TakeDocument): Promise<void> {
  const { context, target, index } = options;
  const { collation, fields, hidden } = index;
  try {
    if (!hidden && (await readByIndex(options, take))) return;
    const projection = Object.fromEntries(fields.map((field) => [field.split('.')[0]!, 1]));
    const find = collation ? { collation } : {};
    const all = { collection: target.collection, session: context.session, projection, find };
    await scan(target.db, { ...all, filter: outsideOf(options) }, take, () => context.signal.throwIfAborted());
  } catch (error) {
    if (!isRefusal(error)) throw error; // the index was dropped, or MongoDB needs too long: the write decides
  }
}

function outsideOf(
  { target: { filter = {} }, index: { partial } }: OutsideOptions,
  any?: readonly Document[],
): Document {
  return { $and: [{ $nor: [filter] }, ...(partial ? [partial] : []), ...(any ? [{ $or: any }] : [])] };
}

/** Resolves with false if a key cannot be queried. */
async function readByIndex(options: OutsideOptions, take: TakeDocument): Promise<boolean> {
  const { context, target, index, items } = options;
  const { feed, session, signal } = context;
  const find = { hint: index.name, ...(index.collation ? { collation: index.collation } : {}) };
  for (const batch of batchesOf(items, feed)) {
    signal.throwIfAborted();
    const any: Document[] = [];
    for (const item of batch) {
      const keys = partsOf(index, feed.whole(item), 0);
      if (typeof keys === 'string') continue;
      for (const parts of keys) {
        const query = queryOf(index, parts);
        if (query === null) return false;
        any.push(query);
      }
    }
    if (any.length === 0) continue;
    const { db, collection } = target;
    await scan(db, { collection, session, filter: outsideOf(options, any), find }, take, () => {});
  }
  return true;
}

/** Returns null if no query can use the index. */
function queryOf({ fields, sparse }: PlainIndex, parts: Parts): Document | null {
  const and: Document[] = [];
  for (const [i, part] of parts.entries()) {
    const field = fields[i]!;
    if (part === 'empty') return null;
    if (part === 'missing' || part.type === bsonType.null) {
      if (sparse || field.includes('.')) return null; // an array without the member has the key, too
      and.push({ [field]: { $eq: null } });
    } else if (part.type === bsonType.undefined) return null;
    else and.push({ [field]: { $eq: driverValue(part) } });
  }
  return { $and: and };
}
