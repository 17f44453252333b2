/**
 * Decides whether a plan fits into one transaction if `atomic` is `'auto'`.
 *
 * A transaction stays in WiredTiger's cache until it is committed. Long before the cache is full, each statement waits
 * for eviction, and then MongoDB rolls the transaction back: a transaction of 22 % of a 256 MB cache made a pause of at
 * least 74 s; in batches the pause took 22 s.
 */
import { MongoServerError, type Db } from 'mongodb';
import type { Plan } from '../../plan.ts';
import type { ItemTable } from '../../prepared/item-table.ts';

/** A limit on the work that is lost and done again if the transaction conflicts with another write. */
const mostStatements = 100_000;
const mostBytes = 64 * 1024 * 1024;
/** The share at which eviction matters: `eviction_updates_target` and its trigger are 2.5 % and 10 %. */
const cacheShare = 1 / 20;
/** WiredTiger's smallest cache, assumed if the user may not run `serverStatus`. */
const smallestCache = 256 * 1024 * 1024;
/** The size of a statement without its document. */
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
