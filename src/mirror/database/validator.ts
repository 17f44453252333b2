/**
 * Checks the documents that would be written with the collection's validator, before the pause: in the pause, MongoDB
 * would name only the first invalid document, and the pause would be useless.
 *
 * MongoDB does the check. If it cannot (before 5.1), or the user may not, the write itself finds invalid documents.
 */
import type { ClientSession } from 'mongodb';
import { FeedFaults } from '../feed/feed-faults.ts';
import type { Plan } from '../plan.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { matchItems } from './match-items.ts';
import type { Target } from './target.ts';

/** @throws QuiesceError `invalid-feed` with the first invalid documents */
export async function checkValidator(
  target: Target,
  plan: Plan,
  feed: PreparedFeed,
  session: ClientSession,
): Promise<void> {
  const { validator, validationAction = 'error', validationLevel = 'strict' } = target.options;
  if (validator === undefined || validationAction !== 'error' || validationLevel === 'off') return;
  const faults = new FeedFaults(feed.at);
  // `moderate` allows an invalid stored document to be replaced by another invalid one.
  const items = validationLevel === 'strict' ? plan.writtenItems() : plan.insertedItems();
  const isJudged = await matchItems({ target, feed, session, items, filter: { $nor: [validator] } }, (item) =>
    faults.add(`/${item}`, 'the validator of the collection does not allow this document'),
  );
  if (isJudged) faults.check();
}
