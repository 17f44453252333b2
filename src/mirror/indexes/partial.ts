/** Which items belong to a partial index: MongoDB knows. */
import { matchItems } from '../database/match-items.ts';
import type { Target } from '../database/target.ts';
import type { RunContext } from '../run-context.ts';
import { markedItems } from './items-in-order.ts';
import type { PlainIndex } from './plain-index.ts';

/** Returns the marks without those of items that the index leaves out; null if MongoDB cannot answer. */
export async function markedMembers(
  { feed, session }: RunContext,
  target: Target,
  { partial, collation }: PlainIndex,
  marks: Uint8Array,
): Promise<Uint8Array | null> {
  if (partial === null) return marks;
  const members = new Uint8Array(marks.length);
  const options = { target, feed, session, items: markedItems(marks), filter: partial, collation };
  const isKnown = await matchItems(options, (item) => (members[item] = marks[item]!));
  return isKnown ? members : null;
}
