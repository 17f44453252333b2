/**
 * Checks the documents that would be written with the collection's validator, before the pause: in the pause, MongoDB
 * would name only the first invalid document, and the pause would be useless.
 *
 * MongoDB does the check. If it cannot (before 5.1), or the user may not, the write itself finds invalid documents.
 */
import type { ClientSession, Document } from 'mongodb';
import { FeedFaults } from '../feed/feed-faults.ts';
import type { Plan } from '../plan.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { matchItems } from './match-items.ts';
import type { Target } from './target.ts';

/** Whether the collection has a validator that refuses documents. */
export function validatorRefuses({ options }: Target): boolean {
  const { validator, validationAction, validationLevel } = options;
  return validator !== undefined && validationAction !== 'warn' && validationLevel !== 'off';
}

/**
 * Resolves with false if the validator may refuse an item all the same.
 *
 * @throws QuiesceError `invalid-feed` with the first invalid documents
 */
export async function checkValidator(
  target: Target,
  plan: Plan,
  feed: PreparedFeed,
  session: ClientSession,
): Promise<boolean> {
  const { validator, validationLevel = 'strict' } = target.options;
  if (!validatorRefuses(target) || plan.inserts + plan.updates === 0) return true;
  const faults = new FeedFaults(feed.at);
  const invalid: number[] = [];
  const isJudged = await matchItems(
    { target, feed, session, items: plan.writtenItems(), filter: { $nor: [validator] } },
    (item) => invalid.push(item),
  );
  if (!isJudged) return false;
  // `moderate` allows an invalid stored document to be replaced by another invalid one.
  const spared =
    validationLevel === 'strict' ? null : await invalidBefore(target, plan, feed, session, new Set(invalid));
  for (const item of invalid.toSorted((a, b) => a - b)) {
    if (!spared?.has(item)) faults.add(`/${item}`, 'the validator of the collection does not allow this document');
  }
  faults.check();
  return true;
}

/** Which of these items replace a stored document that is invalid as well. */
async function invalidBefore(
  target: Target,
  plan: Plan,
  feed: PreparedFeed,
  session: ClientSession,
  items: ReadonlySet<number>,
): Promise<ReadonlySet<number>> {
  const updates = new Map<number, number>();
  for (let i = 0; i < plan.updates; i++) if (items.has(plan.updated(i))) updates.set(plan.updated(i), i);
  const before = new Set<number>();
  const filter = { $nor: [target.options['validator'] as Document] };
  const read = (item: number): Buffer => plan.replaced(updates.get(item)!);
  await matchItems({ target, feed, session, items: updates.keys(), filter, read }, (item) => before.add(item));
  return before;
}
