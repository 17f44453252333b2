/**
 * Finds items that a unique index refuses, before the pause: in the pause MongoDB would name only the first.
 *
 * After the run, the collection holds the feed and, with a scope, the documents outside the scope. The writes can move
 * unique values between documents in any order, so only two documents of this final state can conflict.
 * If this check is not certain about an item, it leaves the decision to the write.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Document } from 'mongodb';
import { isGone, isRefusal, isUnauthorized } from './database/errors.ts';
import { indexesOf } from './database/indexes.ts';
import { batchesOf, matchItems } from './database/match-items.ts';
import { scan } from './database/scan.ts';
import type { Target } from './database/target.ts';
import { indexKey, sameKey, uniqueIndex, type UniqueIndex } from './database/unique-index.ts';
import { FeedFaults } from './feed/feed-faults.ts';
import type { Plan } from './plan.ts';
import { ItemKeys } from './prepared/item-keys.ts';
import type { RunContext } from './run-context.ts';

/** Marks of an item: `shared`: another item has its index key; `held`: a document outside the scope has it. */
const shared = 1;
const held = 2;
/** After this many items the thread reads its messages, so that it notices a cancel. */
const itemsPerTurn = 10_000;

interface Suspects {
  readonly index: UniqueIndex;
  /** The mark of each item; 0 for most. */
  readonly marks: Uint8Array;
}

/** @throws QuiesceError `invalid-feed` with the first faults */
export async function checkUnique(context: RunContext, target: Target, plan: Plan): Promise<void> {
  if (plan.inserts + plan.updates === 0) return;
  const suspects: Suspects[] = [];
  for (const index of await uniqueIndexes(target)) {
    const marks = new Uint8Array(context.feed.table.count);
    await markShared(context, index, marks);
    if (target.filter) await markHeld(context, target, plan, index, marks);
    if (marks.some(Boolean) && (await keepMembers(context, target, index, marks))) suspects.push({ index, marks });
  }
  if (suspects.length > 0) await nameFaults(context, suspects);
}

async function uniqueIndexes(target: Target): Promise<UniqueIndex[]> {
  try {
    return (await indexesOf(target)).map(uniqueIndex).filter((index) => index !== null);
  } catch (error) {
    if (isUnauthorized(error) || isGone(error)) return [];
    throw error;
  }
}

async function markShared(context: RunContext, index: UniqueIndex, marks: Uint8Array): Promise<void> {
  const keys = new ItemKeys();
  const keyOf = keysOf(context, index);
  await eachItem(context, (item) => {
    const key = keyOf(item);
    if (key === null) return;
    const earlier = keys.take(item, key, keyOf);
    if (earlier !== -1) marks[earlier] = marks[item] = shared;
  });
}

/** Checks only items that would be written: MongoDB has checked the stored ones already. */
async function markHeld(
  context: RunContext,
  { db, collection, filter = {} }: Target,
  plan: Plan,
  index: UniqueIndex,
  marks: Uint8Array,
): Promise<void> {
  const { feed, session, signal } = context;
  const keyOf = keysOf(context, index);
  for (const batch of batchesOf(plan.writtenItems(), feed)) {
    signal.throwIfAborted();
    const items = new Map<string | null, number[]>();
    const any: Document[] = [];
    for (const item of batch) {
      const key = keyOf(item);
      const query = key === null ? null : sameKey(index, feed.whole(item));
      if (query === null) continue;
      const others = items.get(key);
      if (others) others.push(item);
      else {
        items.set(key, [item]);
        any.push(query);
      }
    }
    if (any.length === 0) continue;
    const outside = { $and: [{ $nor: [filter] }, ...(index.partial ? [index.partial] : []), { $or: any }] };
    const options = { collection, filter: outside, session, find: { hint: index.name } };
    const take = (bytes: Uint8Array, at: number): void => {
      for (const item of items.get(indexKey(index, bytes, at)) ?? []) marks[item] = held;
    };
    try {
      await scan(db, options, take, () => {});
    } catch (error) {
      // The index is hidden, so a hint cannot name it, or it was dropped.
      if (isRefusal(error)) return;
      throw error;
    }
  }
}

/** Asks MongoDB which items belong to a partial index. Resolves with false if MongoDB cannot answer. */
async function keepMembers(
  { feed, session }: RunContext,
  target: Target,
  { partial }: UniqueIndex,
  marks: Uint8Array,
): Promise<boolean> {
  if (partial === null) return true;
  const members = new Uint8Array(marks.length);
  const options = { target, feed, session, items: markedItems(marks), filter: partial };
  const isKnown = await matchItems(options, (item) => (members[item] = marks[item]!));
  marks.set(members);
  return isKnown;
}

/** Reports the faults of all indexes in the order of the feed. */
async function nameFaults(context: RunContext, suspects: readonly Suspects[]): Promise<void> {
  const faults = new FeedFaults(context.feed.at);
  const judges = suspects.map(({ index, marks }) => ({
    marks,
    name: index.name,
    keys: new ItemKeys(),
    keyOf: keysOf(context, index),
  }));
  await eachItem(context, (item) => {
    for (const { name, marks, keys, keyOf } of judges) {
      if (marks[item] === 0) continue;
      const index = `the same value for the unique index ${name}`;
      const earlier = keys.take(item, keyOf(item)!, keyOf);
      if (earlier !== -1) faults.add(`/${item}`, `${context.feed.at}/${earlier} has ${index}`);
      else if (marks[item] === held) {
        faults.add(`/${item}`, `the collection has a document outside the scope of this mirror with ${index}`);
      }
    }
  });
  faults.check();
}

function* markedItems(marks: Uint8Array): Generator<number> {
  for (let item = 0; item < marks.length; item++) if (marks[item] !== 0) yield item;
}

function keysOf({ feed }: RunContext, index: UniqueIndex): (item: number) => string | null {
  return (item) => indexKey(index, feed.whole(item), 0);
}

async function eachItem({ feed, signal }: RunContext, take: (item: number) => void): Promise<void> {
  for (let item = 0; item < feed.table.count; item++) {
    if (item % itemsPerTurn === itemsPerTurn - 1) {
      await turn();
      signal.throwIfAborted();
    }
    take(item);
  }
}
