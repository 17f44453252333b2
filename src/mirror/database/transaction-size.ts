/**
 * How much one transaction may hold where nobody has said `atomic: true`.
 *
 * All of it stays in WiredTiger's cache until it is committed. Long before it does not fit any more, each statement waits
 * for the cache to be cleared, and then MongoDB rolls it back: of a cache of 256 MB, 22 % made a pause of 74 s or more,
 * which took 22 s in batches.
 */
import { MongoServerError, type Db } from 'mongodb';
import type { Plan } from '../plan.ts';
import type { ItemTable } from '../prepared/item-table.ts';

/** More would be done twice for nothing where another write is in the way. */
const mostStatements = 100_000;
const mostBytes = 64 * 1024 * 1024;
/** From where on the cache has to be cleared: `eviction_updates_target` and its trigger are 2.5 % and 10 %. */
const cacheShare = 1 / 20;
/** The smallest that WiredTiger can be given, for those who may not ask (`serverStatus`). */
const smallestCache = 256 * 1024 * 1024;
/** What a statement takes besides its document. */
const statementBytes = 200;

export async function fitsTransaction(db: Db, plan: Plan, table: ItemTable): Promise<boolean> {
  if (plan.size > mostStatements) return false;
  let bytes = plan.size * statementBytes;
  for (let i = 0; i < plan.inserts; i++) bytes += table.length(plan.inserted(i));
  for (let i = 0; i < plan.updates; i++) bytes += table.length(plan.updated(i));
  if (bytes <= smallestCache * cacheShare) return true;
  return bytes <= mostBytes && bytes <= (await cacheOf(db)) * cacheShare;
}

async function cacheOf(db: Db): Promise<number> {
  const others = { metrics: 0, locks: 0, repl: 0, tcmalloc: 0, transactions: 0, opLatencies: 0, flowControl: 0 };
  try {
    const { wiredTiger } = await db.admin().command({ serverStatus: 1, ...others });
    const bytes: unknown = wiredTiger?.cache?.['maximum bytes configured'];
    return typeof bytes === 'number' ? bytes : smallestCache;
  } catch (error) {
    if (error instanceof MongoServerError) return smallestCache;
    throw error;
  }
}
