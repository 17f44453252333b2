/** Walks the items of a feed, and notices meanwhile that the run was cancelled. */
import { setImmediate as turn } from 'node:timers/promises';
import type { RunContext } from '../run-context.ts';

/** After this many items the thread reads its messages. */
const itemsPerTurn = 10_000;

export async function eachItem(
  { signal }: Pick<RunContext, 'signal'>,
  items: Iterable<number>,
  take: (item: number) => void,
): Promise<void> {
  let taken = 0;
  for (const item of items) {
    if (++taken % itemsPerTurn === 0) {
      await turn();
      signal.throwIfAborted();
    }
    take(item);
  }
}

export function* allItems({ table }: RunContext['feed']): Generator<number> {
  for (let item = 0; item < table.count; item++) yield item;
}

export function* markedItems(marks: Uint8Array): Generator<number> {
  for (let item = 0; item < marks.length; item++) if (marks[item] !== 0) yield item;
}
