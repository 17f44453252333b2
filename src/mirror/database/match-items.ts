/** Asks MongoDB which items match a filter. The items are the input of a pipeline; nothing is stored. */
import type { Document } from 'mongodb';
import { driverDocument } from '../bson/driver-value.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { askAbout, type Asking } from './given-documents.ts';

const documentsAtOnce = 1000;
const bytesAtOnce = 4 * 1024 * 1024;

export interface MatchOptions extends Asking {
  readonly feed: PreparedFeed;
  readonly items: Iterable<number>;
  readonly filter: Document;
  /** Returns the document to check in place of the item; it has the same `_id`. Default: the item. */
  readonly read?: (item: number) => Buffer;
}

/** Calls back with each item that matches. Resolves with false if MongoDB cannot answer (before 5.1) or may not. */
export async function matchItems(
  { feed, items, filter, read = (item) => feed.whole(item), ...asking }: MatchOptions,
  take: (item: number) => void,
): Promise<boolean> {
  for (const batch of batchesOf(items, feed)) {
    const documents = batch.map((item) => driverDocument(read(item), 0));
    const stages = [{ $match: filter }, { $project: { _id: 1 } }];
    const isAnswered = await askAbout(asking, documents, stages, (bytes, at, end) => {
      feed.compare(bytes, at, end);
      take(feed.found);
    });
    if (!isAnswered) return false;
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
