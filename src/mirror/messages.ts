/**
 * What the primary and its mirror thread say to each other. One run at a time goes
 * prepare → (planned, for a dry run) or write → written; `failed` ends it from anywhere.
 */
import type { Problem } from '../errors.ts';
import type { FeedCoding, FeedFormat, MaxDeletes } from '../protocol/mirror-job.ts';
import type { Counts, Progress, Report } from '../protocol/runs.ts';

/** One feed, and the collection that shall equal it. */
export interface MirrorJob {
  readonly run: string;
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
  readonly maxDeletes?: MaxDeletes;
  /** The decoded feed may hold at most this many bytes. */
  readonly maxBytes: number;
  readonly strategy: 'auto' | 'two-phase' | 'scan' | 'swap';
  readonly atomic: boolean | 'auto';
  /** How long, in ms, an unreachable database is waited for before the run fails. */
  readonly databaseTimeout: number;
  /** A private folder for files of this run; the thread removes what it made there. */
  readonly workDir: string;
}

export interface Prepared {
  readonly items: number;
  /** Decoded bytes. */
  readonly bytes: number;
  readonly prepareMs: number;
  /** False where nothing would be written, so that nothing need be paused. */
  readonly needsPause: boolean;
  /** Counts, where they are known before the pause. */
  readonly counts?: Counts;
  readonly strategy: Report['strategy'];
}

export interface Written {
  readonly counts: Counts;
  readonly strategy: Report['strategy'];
  readonly scanMs: number;
  readonly writeMs: number;
}

export type ToThread =
  /** Is the database there, and may we write? Answered by `reachable` or `failed` (run `''`). */
  | { readonly type: 'check'; readonly uri: string; readonly db?: string; readonly timeout: number }
  /** Read, validate, serialise; everything that can be done while the cluster serves. */
  | { readonly type: 'prepare'; readonly job: MirrorJob }
  /** What a run would do; nothing is written. */
  | { readonly type: 'plan'; readonly run: string }
  /** The cluster is quiesced: compare and write. */
  | { readonly type: 'write'; readonly run: string; readonly epoch: number }
  /** Forget the run; before `write` only. */
  | { readonly type: 'cancel'; readonly run: string };

export type FromThread =
  | { readonly type: 'reachable'; readonly replicaSet: boolean; readonly fenceEpoch: number }
  | { readonly type: 'prepared'; readonly run: string; readonly prepared: Prepared }
  | { readonly type: 'planned'; readonly run: string; readonly counts: Counts; readonly scanMs: number }
  | { readonly type: 'written'; readonly run: string; readonly written: Written }
  | { readonly type: 'progress'; readonly run: string; readonly progress: Progress }
  /** `dirty`: some writes were made, so the collection may be half-mirrored. */
  | { readonly type: 'failed'; readonly run: string; readonly problem: Problem; readonly dirty: boolean };
