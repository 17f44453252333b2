/** Asks MongoDB which items match a filter. The items are the input of a pipeline; nothing is stored. */
import type { ClientSession, CollationOptions, Document } from 'mongodb';
import { driverDocument } from '../bson/driver-value.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { isRefusal } from './errors.ts';
import { Batch } from './scan.ts';
import type { Target } from './target.ts';

const documentsAtOnce = 1000;
const bytesAtOnce = 4 * 1024 * 1024;

export interface MatchOptions {
  readonly target: Target;
  readonly feed: PreparedFeed;
  readonly session: ClientSession;
  readonly items: Iterable<number>;
  readonly filter: Document;
  /** Default: strings are equal if their bytes are. */
  readonly collation?: CollationOptions | null;
  /** Returns the document to check in place of the item; it has the same `_id`. Default: the item. */
  readonly read?: (item: number) => Buffer;
}

/** Calls back with each item that matches. Resolves with false if MongoDB cannot answer (before 5.1) or may not. */
export async function matchItems(
  { target, feed, session, items, filter, collation, read = (item) => feed.whole(item) }: MatchOptions,
  take: (item: number) => void,
): Promise<boolean> {
  for (const batch of batchesOf(items, feed)) {
    const documents = batch.map((item) => driverDocument(read(item), 0));
    const pipeline = [{ $documents: { $literal: documents } }, { $match: filter }, { $project: { _id: 1 } }];
    const cursor = { batchSize: documentsAtOnce };
    const how = { readConcern: { level: 'local' }, ...(collation ? { collation } : {}) };
    const command = { aggregate: 1, pipeline, cursor, ...how };
    let reply;
    try {
      reply = await target.db.command(command, { session, raw: true });
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
    new Batch(reply['cursor'] as Uint8Array).walk((bytes, at, end) => {
      feed.compare(bytes, at, end);
      take(feed.found);
    });
  }
  return true;
}

/** Groups the items into batches of a good size for one command. */
export function* batchesOf(items: Iterable<number>, feed: PreparedFeed): Generator<number[]> {
  let batch: number[] = [];
  let bytes = 0;
  for (const item of items) {
    const length = feed.table.length(item);
    if (batch.length === documentsAtOnce || (batch.length > 0 && bytes + length > bytesAtOnce)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += length;
  }
  if (batch.length > 0) yield batch;
}
