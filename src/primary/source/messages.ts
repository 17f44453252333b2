/** What the primary and the thread that fetches one feed say to each other. */
import type { Problem } from '../../errors.ts';
import type { FeedFormat, Known } from '../../fetch/fetch-feed.ts';
import type { SpooledFeed } from '../../protocol/workers/mirror-job.ts';

export interface FetchJob {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly format: FeedFormat | null;
  /** What the feed was when it was mirrored last. */
  readonly known: Known | null;
  /** ms */
  readonly timeout: number;
  /** As it comes, and as it is stored. */
  readonly maxBytes: number;
  /** Where it is stored. A failed job may leave a part of the feed there. */
  readonly target: string;
}

export type FromFetchThread =
  /** It is complete on the disk. */
  | { readonly type: 'fetched'; readonly feed: SpooledFeed; readonly known: Known }
  /** The server says that it is what is known. */
  | { readonly type: 'unchanged' }
  | { readonly type: 'failed'; readonly problem: Problem };
