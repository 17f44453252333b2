/**
 * What the primary and its mirror thread say to each other. Each call is answered by one `done` or `failed` with its id.
 * A run goes prepare → write, or prepare → plan → cancel for a dry run; a failure ends it from anywhere.
 */
import type { Problem } from '../errors.ts';
import type { MaxDeletes } from '../protocol/max-deletes.ts';
import type { FeedCoding, FeedFormat } from '../protocol/mirror-job.ts';
import type { Counts, Progress, Report } from '../protocol/runs.ts';
import type { Strategy } from '../protocol/words.ts';

/** One feed, and the collection that shall equal it. */
export interface MirrorJob {
  readonly run: string;
  /** Whose run it is: no other owner writes with the same epoch. Another run of the same owner's, or thread, may. */
  readonly owner: string;
  readonly spool: string;
  readonly format: FeedFormat;
  readonly coding: FeedCoding;
  readonly uri: string;
  /** Default: the one in the connection string, then `test`, as the driver does. */
  readonly db?: string;
  readonly collection: string;
  readonly key: string;
  readonly scope?: Readonly<Record<string, unknown>>;
  readonly extendedJson: boolean;
  /** Default: half of the documents, and as many as a few. */
  readonly maxDeletes?: MaxDeletes;
  /** The decoded feed may hold at most this many bytes. */
  readonly maxBytes: number;
  readonly strategy: 'auto' | Strategy;
  readonly atomic: boolean | 'auto';
  /** Only `plan` will follow: nothing is written, not even what a change stream would need. Default false. */
  readonly dryRun?: boolean;
  /** How long, in ms, an unreachable database is waited for before the run fails. */
  readonly databaseTimeout: number;
  /** How long, in ms, the run waits in the pause for a document that somebody else's transaction holds. */
  readonly conflictTimeout: number;
  /** A private folder of this primary, shared by all its runs and made where it is missing: each has a folder of its own name in it, made and removed by the thread. */
  readonly workDir: string;
}

export interface CheckRequest {
  readonly uri: string;
  readonly db?: string;
  /** ms */
  readonly timeout: number;
}

export interface Reachable {
  /** The largest epoch that any fence of the database holds; 0 where there is none. */
  readonly fenceEpoch: number;
}

export interface Prepared {
  readonly items: number;
  /** Decoded bytes. */
  readonly bytes: number;
  readonly prepareMs: number;
  /** The epoch that the fence was last taken with; 0 where it never was. */
  readonly fenceEpoch: number;
  /** False where nothing would be written, so that nothing need be paused. */
  readonly needsPause: boolean;
  /** Counts, where they are known before the pause. */
  readonly counts?: Counts;
  /** How long the collection was compared before the pause. */
  readonly scanMs?: number;
  readonly strategy: Report['strategy'];
  /** Why it is not the strategy that was asked for, where it is not. */
  readonly note?: string;
}

/** What a run has done that a former primary had begun. */
export interface Past {
  /** Some of it may have been written. */
  readonly wrote: boolean;
  /** Where it was finished. */
  readonly finished: Counts | null;
}

export interface Planned {
  readonly counts: Counts;
  readonly scanMs: number;
}

export interface Written {
  readonly counts: Counts;
  readonly strategy: Report['strategy'];
  readonly scanMs: number;
  readonly writeMs: number;
  /** The keys of the documents that were written; null where they are too many, or not all known. */
  readonly keys?: readonly unknown[] | null;
  /** Why it is not the strategy that was prepared, where it is not. */
  readonly note?: string;
}

export type Call =
  /** Is the database there, and what is the newest epoch it has seen? */
  | { readonly op: 'check'; readonly request: CheckRequest }
  /** Read, validate, serialise; everything that can be done while the cluster serves. */
  | { readonly op: 'prepare'; readonly job: MirrorJob }
  /** What a run would do; nothing is written. The run stays prepared. */
  | { readonly op: 'plan'; readonly run: string }
  /** Has this run, which is not prepared, ever written? From now on no older epoch does. */
  | { readonly op: 'past'; readonly job: MirrorJob; readonly epoch: number }
  /** The cluster is quiesced: compare and write. */
  | { readonly op: 'write'; readonly run: string; readonly epoch: number }
  /** Forget the run. Where it is being written, what was written is put back, and the write rejects. */
  | { readonly op: 'cancel'; readonly run: string }
  | { readonly op: 'close' };

/** What each call is answered with. */
export interface Results {
  check: Reachable;
  prepare: Prepared;
  plan: Planned;
  past: Past;
  write: Written;
  cancel: null;
  close: null;
}

export interface ToThread {
  readonly id: number;
  readonly call: Call;
}

export type FromThread =
  | { readonly type: 'done'; readonly id: number; readonly value: Results[keyof Results] }
  /** `dirty`: some writes were made, so the collection may be half-mirrored. */
  | { readonly type: 'failed'; readonly id: number; readonly problem: Problem; readonly dirty: boolean }
  | { readonly type: 'progress'; readonly run: string; readonly progress: Progress };
