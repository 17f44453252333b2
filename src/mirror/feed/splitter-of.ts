/** Chooses the splitter for a feed. */
import type { SpooledFeed } from '../../protocol/workers/mirror-job.ts';
import { pointerTokens } from '../../protocol/feed/json-pointer.ts';
import { ArraySplitter } from './array-splitter.ts';
import { EnvelopeSplitter } from './envelope-splitter.ts';
import { LineSplitter } from './line-splitter.ts';
import type { ItemSink, Splitter } from './splitter.ts';

type Form = Pick<SpooledFeed, 'format' | 'items'>;

export function splitterOf({ format, items = '' }: Form, sink: ItemSink): Splitter {
  if (format === 'ndjson') return new LineSplitter(sink); // lines have no envelope
  const path = pointerTokens(items) ?? [];
  return path.length === 0 ? new ArraySplitter(sink) : new EnvelopeSplitter(sink, path);
}

/** The pointer to the array of items, which is the start of each item's pointer. */
export function itemsAt({ format, items = '' }: Form): string {
  return format === 'json' ? items : '';
}
