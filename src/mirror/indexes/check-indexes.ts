/** Finds items that an index of the collection refuses, before the pause. */
import type { IndexDescription } from 'mongodb';
import { isGone, isUnauthorized } from '../database/errors.ts';
import { indexesOf } from '../database/indexes.ts';
import type { Target } from '../database/target.ts';
import { FeedFaults } from '../feed/feed-faults.ts';
import type { Plan } from '../plan.ts';
import type { RunContext } from '../run-context.ts';
import { arraysRule, judgeArrays } from './arrays.ts';
import { allItems, eachItem } from './items-in-order.ts';
import type { Judge, Verdict } from './judge.ts';
import { plainIndex } from './plain-index.ts';
import { mayRefuse, type MayRefuse } from './special.ts';
import { UniqueValues } from './unique-values.ts';

/**
 * Returns the names of the indexes that may refuse an item all the same: the write finds that.
 *
 * @throws QuiesceError `invalid-feed` with the first faults
 */
export async function checkIndexes(context: RunContext, target: Target, plan: Plan): Promise<string[]> {
  if (plan.inserts + plan.updates === 0) return [];
  const indexes = await readable(target);
  if (indexes === null) return ['the unique indexes, which the user of the connection string may not list'];
  const judges: Judge[] = [];
  const unjudged: string[] = [];
  for (const index of indexes) {
    const verdicts = await verdictsOf(context, target, plan, index);
    judges.push(...verdicts.flatMap(({ judge }) => judge ?? []));
    if (verdicts.some(({ isWhole }) => !isWhole)) unjudged.push(`the index ${index.name}`);
  }
  await tellFaults(context, judges);
  return unjudged;
}

async function verdictsOf(
  context: RunContext,
  target: Target,
  plan: Plan,
  description: IndexDescription,
): Promise<Verdict[]> {
  const refuses = mayRefuse(description);
  if (refuses !== null) return [{ judge: null, isWhole: !(await isAny(context, plan, refuses)) }];
  const verdicts: Verdict[] = [];
  const rule = arraysRule(description);
  if (rule) verdicts.push(await judgeArrays(context, target, plan, rule));
  const plain = plainIndex(description);
  if (plain?.unique) verdicts.push(await new UniqueValues(context, target, plain).judge(plan));
  return verdicts;
}

async function isAny(context: RunContext, plan: Plan, refuses: MayRefuse): Promise<boolean> {
  let found = false;
  await eachItem(context, plan.writtenItems(), (item) => {
    found ||= refuses(context.feed.whole(item));
  });
  return found;
}

/** In the order of the feed. */
async function tellFaults(context: RunContext, judges: readonly Judge[]): Promise<void> {
  if (judges.length === 0) return;
  const faults = new FeedFaults(context.feed.at);
  await eachItem(context, allItems(context.feed), (item) => {
    for (const { marks, detail } of judges) {
      const fault = marks[item] === 0 ? null : detail(item);
      if (fault !== null) faults.add(`/${item}`, fault);
    }
  });
  faults.check();
}

async function readable(target: Target): Promise<IndexDescription[] | null> {
  try {
    return await indexesOf(target);
  } catch (error) {
    if (isUnauthorized(error)) return null;
    if (isGone(error)) return [];
    throw error;
  }
}
