/** Finds items with arrays that an index cannot have: two arrays in one key, or any array in a hashed index. */
import type { IndexDescription } from 'mongodb';
import type { Target } from '../database/target.ts';
import type { Plan } from '../plan.ts';
import type { RunContext } from '../run-context.ts';
import { eachItem } from './items-in-order.ts';
import { allTaken, type Verdict } from './judge.ts';
import { markedMembers } from './partial.ts';
import { hasArray, partsOf, plainIndex, type PlainIndex } from './plain-index.ts';

interface ArraysRule {
  readonly index: PlainIndex;
  readonly breaks: (bytes: Uint8Array) => boolean;
  readonly fault: string;
}

/** Returns null if the index takes any array. */
export function arraysRule(description: IndexDescription): ArraysRule | null {
  const index = plainIndex(description);
  if (index) {
    const fault = `it has two arrays, and the index ${index.name} can have one of them only`;
    return index.fields.length === 1
      ? null
      : { index, breaks: (bytes) => partsOf(index, bytes, 0) === 'parallel', fault };
  }
  const isHashed = Object.values(description.key).includes('hashed');
  if (!isHashed) return null;
  const key = Object.fromEntries(Object.keys(description.key).map((field) => [field, 1 as const]));
  const plain = plainIndex({ ...description, key });
  const fault = `it has an array, which the hashed index ${description.name} cannot have`;
  return plain && { index: plain, breaks: (bytes) => hasArray(plain, bytes), fault };
}

export async function judgeArrays(
  context: RunContext,
  target: Target,
  plan: Plan,
  { index, breaks, fault }: ArraysRule,
): Promise<Verdict> {
  const { feed } = context;
  const marks = new Uint8Array(feed.table.count);
  let isAny = false;
  await eachItem(context, plan.writtenItems(), (item) => {
    if (breaks(feed.whole(item))) isAny = !!(marks[item] = 1);
  });
  if (!isAny) return allTaken;
  const detail = (): string => fault;
  const members = await markedMembers(context, target, index, marks);
  return { judge: members && { marks: members, detail }, isWhole: members !== null };
}
