/** What is known of a mirror run, and the report made of it. Pure. */
import type { QuiesceError } from '../../../errors.ts';
import type { Past, Prepared, Written } from '../../../mirror/messages.ts';
import type { RunHook } from '../../../protocol/workers/messages.ts';
import type { AcceptedSettings, CompleteMirrorOptions, SpooledFeed } from '../../../protocol/workers/mirror-job.ts';
import type { Report, RunRecord } from '../../../protocol/api/runs.ts';
import type { RunOutcome } from '../../../protocol/words.ts';
import type { Stage } from '../../maintenance/machine/state.ts';
import type { WorkerRef } from '../../ports.ts';

/** The worker that got the feed, and the hooks of its app. */
export interface HookCaller {
  readonly worker: WorkerRef;
  readonly hooks: readonly RunHook[];
}

/** What is known of a run besides its record; times are from `performance.now()`. */
export interface Work {
  readonly startedAt: number;
  /** Requests that the whole cluster had refused before it. */
  readonly refusedBefore: number;
  feed?: SpooledFeed | undefined;
  mirror?: CompleteMirrorOptions | undefined;
  settings?: AcceptedSettings | undefined;
  caller?: HookCaller;
  beforeDone?: boolean;
  afterError?: QuiesceError;
  prepared?: Prepared;
  written?: Written;
  drainingAt?: number;
  runningAt?: number;
  endedAt?: number;
  epoch?: number;
  /** The largest epoch that it may take the fence with, as stored in the journal. */
  reserved?: number | undefined;
  forced: number;
  /** It was told to stop, by its deadline or an operator. */
  cancelled?: boolean;
  /** A former primary was about to write. If that one has written, only success makes the collection whole. */
  begunBefore?: boolean;
  /** What that primary has written, as the fence has reported it. */
  past?: Past;
  /** Some writes of this primary were made and not put back. */
  dirty?: boolean;
  /** Set while the run is rolled forward; aborting it gives up. */
  rolling?: AbortController;
  abandoned?: boolean;
}

/** `epoch`: that of its pause, once there is one. */
export function noteStage(work: Work, stage: Stage, epoch: number | null): void {
  const now = performance.now();
  // Without other requests to wait for, it is at work as soon as its pause starts.
  if (epoch !== null) Object.assign(work, { epoch, drainingAt: work.drainingAt ?? now });
  if (stage === 'running') work.runningAt ??= now;
}

/** What remains of the work of a run when its primary or its thread is gone. */
export function restored(
  { startedAt, refusedBefore, forced }: Work,
  left: Pick<Work, 'feed' | 'mirror' | 'settings' | 'reserved' | 'caller' | 'beforeDone'>,
  begunBefore = true,
): Work {
  const { feed, mirror, settings, reserved, caller } = left;
  // Without the caller the run would be written without its `before`.
  const due = caller !== undefined && mustRunBefore(left) ? { caller } : {};
  return { startedAt, refusedBefore, forced, feed, mirror, settings, reserved, begunBefore, ...due };
}

/** Whether `before` must run first: until then nothing may be written. */
export function mustRunBefore({ caller, beforeDone }: Pick<Work, 'caller' | 'beforeDone'>): boolean {
  return caller?.hooks.includes('before') === true && beforeDone !== true;
}

/** The changed keys; null if they are not all known: an attempt that stopped half-way has changed others too. */
export function changedKeysOf({
  written,
  begunBefore,
  dirty,
}: Pick<Work, 'written' | 'begunBefore' | 'dirty'>): unknown[] | null {
  return begunBefore || dirty || !written?.keys ? null : [...written.keys];
}

/** Null if no feed was accepted: then there is only the error. */
export function reportOf(
  work: Work,
  record: RunRecord | undefined,
  error: QuiesceError | null,
  cluster: { readonly workers: number; readonly refused: number },
): Report | null {
  const { feed, prepared, written } = work;
  if (feed === undefined || record === undefined) return null;
  const none = { inserted: 0, updated: 0, deleted: 0, unchanged: 0 };
  return {
    id: record.id,
    epoch: work.epoch ?? 0,
    state: endState(work, error !== null),
    feed: { items: prepared?.items ?? 0, bytes: feed.bytes, digest: digestOf(feed) },
    counts: written?.counts ?? none,
    timings: timingsOf(work),
    strategy: written?.strategy ?? prepared?.strategy ?? 'scan',
    workers: cluster.workers,
    refused: Math.max(0, cluster.refused - work.refusedBefore),
    forced: work.forced,
    startedAt: record.startedAt,
    endedAt: new Date().toISOString(),
    ...(error === null ? {} : { error: error.toProblem() }),
    ...(work.afterError === undefined ? {} : { afterError: work.afterError.toProblem() }),
  };
}

export function endState(work: Pick<Work, 'abandoned'>, hasFailed: boolean): RunOutcome {
  if (work.abandoned) return 'abandoned';
  return hasFailed ? 'failed' : 'succeeded';
}

/** The format of a `Content-Digest` (RFC 9530). */
export function digestOf(feed: SpooledFeed): string {
  return `sha-256=:${feed.digest}:`;
}

function timingsOf(work: Work): Report['timings'] {
  const { prepared, written, drainingAt, runningAt } = work;
  const end = work.endedAt ?? performance.now();
  return {
    upload: round(work.feed?.uploadMs ?? 0),
    prepare: round((prepared?.prepareMs ?? 0) + (work.feed?.itemsMs ?? 0)),
    drain: drainingAt === undefined ? 0 : round((runningAt ?? end) - drainingAt),
    scan: round(written?.scanMs ?? 0),
    write: round(written?.writeMs ?? 0),
    paused: drainingAt === undefined ? 0 : round(end - drainingAt),
    total: round(end - work.startedAt),
  };
}

/** Rounds to tenths of a millisecond. */
export function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
