/**
 * Judges what would be written by the collection's validator, before anything is paused: in the pause MongoDB would name
 * the first document only, and the pause would have been for nothing.
 *
 * MongoDB judges, not we. Where it does not know how to (before 5.1), or does not allow it, the write itself finds them.
 */
import type { ClientSession } from 'mongodb';
import { FeedFaults } from '../feed/feed-faults.ts';
import type { Plan } from '../plan.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { matchItems } from './match-items.ts';
import type { Target } from './target.ts';

/** @throws QuiesceError `invalid-feed`, with the first of them */
export async function checkValidator(
  target: Target,
  plan: Plan,
  feed: PreparedFeed,
  session: ClientSession,
): Promise<void> {
  const { validator, validationAction = 'error', validationLevel = 'strict' } = target.options;
  if (validator === undefined || validationAction !== 'error' || validationLevel === 'off') return;
  const faults = new FeedFaults();
  // `moderate` lets a stored document that is invalid already become another such one.
  const items = validationLevel === 'strict' ? plan.writtenItems() : plan.insertedItems();
  const isJudged = await matchItems({ target, feed, session, items, filter: { $nor: [validator] } }, (item) =>
    faults.add(`/${item}`, 'the validator of the collection does not allow this document'),
  );
  if (isJudged) faults.check();
}
