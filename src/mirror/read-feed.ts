/** Reads a whole feed and refuses or prepares it. Writes only into the run's own folder. */
import { showKey } from './bson/keys.ts';
import { Elements, idElement } from './bson/elements.ts';
import { FeedFaults, notAnArray, oversizedItem } from './feed/feed-faults.ts';
import { readFeedBytes } from './feed/feed-source.ts';
import { ItemEncoder } from './feed/item-encoder.ts';
import { splitterOf } from './feed/splitter-of.ts';
import type { ItemSink } from './feed/splitter.ts';
import type { MirrorJob } from './messages.ts';
import { itemFlag } from './prepared/item-table.ts';
import type { PreparedFeed } from './prepared/prepared-feed.ts';

export interface ReadFeed {
  readonly items: number;
  readonly bytes: number;
}

/**
 * @param onItems called after each chunk with the number of items read
 * @throws QuiesceError `malformed-json`, `invalid-feed`, `payload-too-large`
 */
export async function readFeed(
  job: MirrorJob,
  feed: PreparedFeed,
  onItems: (items: number) => void,
  signal: AbortSignal,
): Promise<ReadFeed> {
  const encoder = new ItemEncoder(job);
  const faults = new FeedFaults(feed.at);
  let items = 0;
  const sink: ItemSink = {
    item(bytes, start, end, base) {
      const item = items++;
      if (!encoder.encode(bytes, start, end, base)) return faults.add(`/${item}${encoder.pointer}`, encoder.detail);
      const { document, dollar } = encoder;
      const earlier = feed.add(document.bytes, document.at, dollar ? itemFlag.dollar : 0);
      if (earlier !== null)
        faults.add(`/${item}`, `the key ${keyOf(document.bytes)} has been seen before, in the item ${earlier}`);
    },
    oversized() {
      faults.add(`/${items++}`, oversizedItem);
    },
    notAnArray(bytes, start, end, base) {
      encoder.encode(bytes, start, end, base); // throws if it is not JSON
      throw notAnArray();
    },
  };
  const splitter = splitterOf(job, sink);
  const take = (chunk: Buffer): void => {
    splitter.push(chunk);
    onItems(items);
  };
  const bytes = await readFeedBytes({ path: job.spool, coding: job.coding, maxBytes: job.maxBytes }, take, signal);
  splitter.end();
  faults.check();
  feed.finish();
  return { items, bytes };
}

function keyOf(document: Buffer): string {
  const id = new Elements(document, 0);
  idElement(id);
  return showKey(document, id.type, id.value, id.end);
}
