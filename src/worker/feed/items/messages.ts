/** The messages between a worker and the thread that handles the items of one feed. */
import type { Problem } from '../../../errors.ts';
import type { FeedCoding, FeedFormat } from '../../../protocol/workers/mirror-job.ts';

/** The steps for each item, in this order. */
export interface ItemSteps {
  /** The module that exports the function, as a `file:` URL. */
  readonly transform?: string;
  /** A module as above, or a JSON Schema. */
  readonly validate?: string | object;
}

export interface ItemJob {
  readonly steps: ItemSteps;
  /** Null: only load the modules. */
  readonly feed: {
    readonly path: string;
    readonly format: FeedFormat;
    readonly coding: FeedCoding;
    readonly items?: string;
    /** The limit for the decoded feed, and for the transformed one. */
    readonly maxBytes: number;
    /** The file for the transformed items, a JSON array; only with `transform`. */
    readonly target: string;
  } | null;
  /** One 32-bit integer: the index of the current item. A thread that hangs reports nothing else. */
  readonly at: SharedArrayBuffer;
}

export type FromItemThread =
  | { readonly type: 'done' }
  /** The whole feed is refused. */
  | { readonly type: 'failed'; readonly problem: Problem };
