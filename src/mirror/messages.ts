/**
 * The messages between the primary and its mirror thread. One `done` or `failed` with the same id answers each call.
 * A run goes prepare → write, or prepare → plan → cancel for a dry run; a failure in any step ends it.
 */
import type { Problem } from '../errors.ts';
import type { MaxDeletes } from '../protocol/feed/max-deletes.ts';
import type { MirrorKey } from '../protocol/feed/mirror-key.ts';
import type { FeedCoding, FeedFormat } from '../protocol/workers/mirror-job.ts';
import type { Counts, Progress, Report } from '../protocol/api/runs.ts';
import type { Strategy } from '../protocol/words.ts';

/** One feed, and the collection to make equal to it. */
export interface MirrorJob {
  readonly run: string;
  /** The owner of the run. No other owner can write with the same epoch; other threads of the same owner can. */
  readonly owner: string;
  readonly spool: string;
  readonly format: FeedFormat;
  readonly coding: FeedCoding;
  /** The JSON Pointer to the array of items in a JSON feed. Default: the feed is the array. */
  readonly items?: string;
  readonly uri: string;
  /** Default: the database in the connection string, else `test`, as in the driver. */
  readonly db?: string;
  readonly collection: string;
  readonly key: MirrorKey;
  /** The top-level members that the app owns, and the run keeps. Default: none. */
  readonly keep?: readonly string[];
  /** False: documents that the feed does not have stay. Default true. */
  readonly deletes?: boolean;
  readonly scope?: Readonly<Record<string, unknown>>;
  readonly extendedJson: boolean;
  /** Default: half of the documents, or 100 if that is more. */
  readonly maxDeletes?: MaxDeletes;
  /** The decoded feed may hold at most this many bytes. */
  readonly maxBytes: number;
  readonly strategy: 'auto' | Strategy;
  readonly atomic: boolean | 'auto';
  /** Only `plan` follows: nothing is written, not even the mark that a change stream would need. Default false. */
  readonly dryRun?: boolean;
  /** How long, in ms, the run waits for an unreachable database before it fails. */
  readonly databaseTimeout: number;
  /** How long, in ms, the run waits in the pause for a document that another transaction has locked. */
  readonly conflictTimeout: number;
  /**
   * A private folder of this primary, shared by all its runs and created if it is missing. The thread creates and
   * removes one folder in it for each run, with the run's name.
   */
  readonly workDir: string;
}

export interface CheckRequest {
  readonly uri: string;
  readonly db?: string;
  /** ms */
  readonly timeout: number;
}

/** A mirror of the app, before its first feed. */
export type ForeseeRequest = Pick<
  MirrorJob,
  'uri' | 'db' | 'collection' | 'scope' | 'keep' | 'deletes' | 'strategy' | 'databaseTimeout'
>;

export interface Reachable {
  /** The largest epoch in any fence of the database; 0 if there is no fence. */
  readonly fenceEpoch: number;
}

export interface Prepared {
  readonly items: number;
  /** Decoded bytes. */
  readonly bytes: number;
  readonly prepareMs: number;
  /** The epoch with which the fence was last taken; 0 if it was never taken. */
  readonly fenceEpoch: number;
  /** False if there is nothing to write, so that no pause is needed. */
  readonly needsPause: boolean;
  /** The counts, if they are known before the pause. */
  readonly counts?: Counts;
  /** How long the comparison before the pause took, ms. */
  readonly scanMs?: number;
  readonly strategy: Report['strategy'];
  /** Why the strategy differs from the requested one, and what MongoDB may refuse in the pause, if anything. */
  readonly note?: string;
}

/** What a run that a former primary started has done. */
export interface Past {
  /** Some of it may have been written. */
  readonly wrote: boolean;
  /** Its counts, if the run was finished; else null. */
  readonly finished: Counts | null;
}

export interface Planned {
  readonly counts: Counts;
  readonly scanMs: number;
  /** What the write of a run may refuse all the same, if anything. */
  readonly note?: string;
}

export interface Written {
  readonly counts: Counts;
  readonly strategy: Report['strategy'];
  readonly scanMs: number;
  readonly writeMs: number;
  /** The keys of the written documents; null if there are too many, or if not all are known. */
  readonly keys?: readonly unknown[] | null;
  /** Why the strategy differs from the prepared one, if it does. */
  readonly note?: string;
}

/** Where the hosts of a cluster keep feeds. */
export interface FeedPlace {
  readonly uri: string;
  readonly db?: string;
  /** How long an unreachable database is waited for, ms. */
  readonly timeout: number;
}

export type FeedRequest = { readonly place: FeedPlace } & (
  | {
      /** Store the file at `path`, and `entry` beside it. */
      readonly do: 'keep';
      readonly cluster: string;
      readonly run: string;
      readonly path: string;
      readonly entry: string;
    }
  /** Replace what is stored beside the feed. */
  | { readonly do: 'mark'; readonly run: string; readonly entry: string }
  /** Write the feed to `path`. */
  | { readonly do: 'fetch'; readonly run: string; readonly path: string }
  | { readonly do: 'forget'; readonly run: string }
  /** Remove what nobody has ended within a day, but for this run. */
  | { readonly do: 'sweep'; readonly cluster: string; readonly except: string | null }
);

export interface FetchedFeed {
  readonly entry: string;
  /** `sha-256` of the bytes, base64. */
  readonly digest: string;
}

export type Call =
  /** Check that the database answers, and read its newest epoch. */
  | { readonly op: 'check'; readonly request: CheckRequest }
  /** Return what feeds of this mirror will have to do without, as sentences. */
  | { readonly op: 'foresee'; readonly request: ForeseeRequest }
  /** Read, validate and serialise the feed: everything that can be done while the cluster serves. */
  | { readonly op: 'prepare'; readonly job: MirrorJob }
  /** Return the changes that a run would make; write nothing. The run stays prepared. */
  | { readonly op: 'plan'; readonly run: string }
  /** Find out whether this run, which is not prepared, has ever written. From now on, no older epoch can write. */
  | { readonly op: 'past'; readonly job: MirrorJob; readonly epoch: number }
  /** The cluster is quiesced: compare and write. */
  | { readonly op: 'write'; readonly run: string; readonly epoch: number }
  /** Cancel the run. If it is writing, its writes are put back and the `write` call fails. */
  | { readonly op: 'cancel'; readonly run: string }
  /** Of a cluster of hosts only: keep a feed where each of them finds it, fetch it, remove it. */
  | { readonly op: 'feeds'; readonly request: FeedRequest }
  | { readonly op: 'close' };

/** The result of each call. */
export interface Results {
  check: Reachable;
  foresee: readonly string[];
  prepare: Prepared;
  plan: Planned;
  past: Past;
  write: Written;
  cancel: null;
  feeds: FetchedFeed | null;
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
