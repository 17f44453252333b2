/** What a worker and the thread that works on the items of one feed say to each other. */
import type { Problem } from '../../../errors.ts';
import type { FeedCoding, FeedFormat } from '../../../protocol/mirror-job.ts';

/** What is done with each item, in this order. */
export interface ItemSteps {
  /** The module that exports the function, as a `file:` URL. */
  readonly transform?: string;
  /** The same, or a JSON Schema. */
  readonly validate?: string | object;
}

export interface ItemJob {
  readonly steps: ItemSteps;
  /** Null: the modules are loaded and nothing else. */
  readonly feed: {
    readonly path: string;
    readonly format: FeedFormat;
    readonly coding: FeedCoding;
    readonly items?: string;
    /** Of the decoded feed, and of what becomes of it. */
    readonly maxBytes: number;
    /** Where the items go, as a JSON array; only with `transform`. */
    readonly target: string;
  } | null;
  /** One 32-bit integer: the item at work. A thread that never returns says nothing else. */
  readonly at: SharedArrayBuffer;
}

export type FromItemThread =
  | { readonly type: 'done' }
  /** Nothing of the feed is taken. */
  | { readonly type: 'failed'; readonly problem: Problem };
