/**
 * Judges what would be written by the collection's validator, before anything is paused: in the pause MongoDB would name
 * the first document only, and the pause would have been for nothing.
 *
 * MongoDB judges, not we: the documents go to it as the input of a pipeline that returns the invalid ones. Where it does
 * not know that (before 5.1), or does not allow it, the write itself finds them.
 */
import { MongoServerError, type ClientSession } from 'mongodb';
import { FeedFaults } from '../feed/feed-faults.ts';
import type { Plan } from '../plan.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { driverDocument } from '../bson/driver-value.ts';
import { Batch } from './scan.ts';
import type { Target } from './target.ts';

const documentsAtOnce = 1000;
const bytesAtOnce = 4 * 1024 * 1024;

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
  for (const batch of batchesOf(itemsOf(plan, validationLevel === 'strict'), feed)) {
    const pipeline = [
      { $documents: { $literal: batch.map((bytes) => driverDocument(bytes, 0)) } },
      { $match: { $nor: [validator] } },
      { $project: { _id: 1 } },
    ];
    const command = { aggregate: 1, pipeline, cursor: { batchSize: documentsAtOnce } };
    let reply;
    try {
      reply = await target.db.command(command, { session, raw: true });
    } catch (error) {
      if (error instanceof MongoServerError) return;
      throw error;
    }
    new Batch(reply['cursor'] as Uint8Array).walk((bytes, at, end) => {
      feed.compare(bytes, at, end);
      faults.add(`/${feed.found}`, 'the validator of the collection does not allow this document');
    });
  }
  faults.check();
}

/** `moderate` lets a stored document that is invalid already become another such one. */
function* itemsOf(plan: Plan, withUpdates: boolean): Generator<number> {
  for (let i = 0; withUpdates && i < plan.updates; i++) yield plan.updated(i);
  for (let i = 0; i < plan.inserts; i++) yield plan.inserted(i);
}

function* batchesOf(items: Iterable<number>, feed: PreparedFeed): Generator<Buffer[]> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const item of items) {
    const document = Buffer.from(feed.document(item));
    if (batch.length === documentsAtOnce || (batch.length > 0 && bytes + document.length > bytesAtOnce)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(document);
    bytes += document.length;
  }
  if (batch.length > 0) yield batch;
}
