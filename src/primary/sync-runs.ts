/**
 * The runs that the primary does itself: feeds that became its own. It keeps, per run, what the report needs, and
 * drives the mirror thread: prepare while the cluster serves, write when it is quiesced.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AppConfig } from '../config.ts';
import { QuiesceError, toQuiesceError } from '../errors.ts';
import type { MirrorThread } from '../mirror/handle.ts';
import type { MirrorJob, Prepared, Written } from '../mirror/messages.ts';
import type { DryRunReport, WorkerSettings } from '../protocol/messages.ts';
import type { mirrorOptions, SpooledFeed } from '../protocol/mirror-job.ts';
import type { Progress, Report } from '../protocol/runs.ts';
import type { Event, Stage } from './maintenance/state.ts';
import { newRunId } from './run-id.ts';
import type { RunStore } from './run-store.ts';

export interface SyncRunsDeps {
  readonly config: AppConfig;
  readonly runs: RunStore;
  readonly log: Logger;
  /** Makes a mirror thread; a dry run gets one of its own, so that it never waits for a run or keeps one waiting. */
  readonly thread: (onProgress: (run: string, progress: Progress) => void) => MirrorThread;
}

type RunEvent = Extract<Event, { type: 'prepared' | 'finished' }>;
type Options = ReturnType<typeof mirrorOptions.parse>;

/** What is known of a run beside its record; times by `performance.now()`. */
interface Work {
  readonly startedAt: number;
  readonly refusedBefore: number;
  feed?: SpooledFeed;
  mirror?: Options;
  prepared?: Prepared;
  written?: Written;
  drainingAt?: number;
  runningAt?: number;
  endedAt?: number;
  epoch?: number;
  forced: number;
  cancelled?: boolean;
}

export class SyncRuns {
  readonly workerSettings: WorkerSettings;
  readonly #deps: SyncRunsDeps;
  readonly #work = new Map<string, Work>();
  readonly #spoolDir: string;
  #thread: MirrorThread | null = null;
  #dispatch: (event: RunEvent) => void = () => {};
  #dryRunning = false;
  /** Requests refused so far, to be subtracted from those at a run's end. */
  refused: () => number = () => 0;

  constructor(deps: SyncRunsDeps) {
    this.#deps = deps;
    const { config } = deps;
    this.#spoolDir = join(config.dataDir, 'spool');
    const { collection, key, token, maxBytes, uploadTimeout } = config.sync;
    const { onPause, readyGrace, drainTimeout } = config.maintenance;
    this.workerSettings = {
      name: config.name,
      mongodb: config.mongodb,
      sync: { collection, key, token, maxBytes, uploadTimeout },
      maintenance: { onPause, readyGrace, drainTimeout },
      heartbeat: { interval: config.heartbeat.interval },
      spoolDir: this.#spoolDir,
    };
  }

  connect(dispatch: (event: RunEvent) => void): void {
    this.#dispatch = dispatch;
  }

  /** @throws QuiesceError `database-unavailable` where none is configured */
  requireDatabase(): void {
    if (this.#deps.config.mongodb.uri !== null) return;
    throw new QuiesceError(
      'database-unavailable',
      'No database is configured. Set MONGODB_URI, or mongodb.uri in the configuration, and restart.',
    );
  }

  accept(run: string, feed: SpooledFeed, mirror: Options): void {
    Object.assign(this.#of(run), { feed, mirror });
  }

  prepare(run: string): void {
    const { feed, mirror } = this.#of(run);
    const job = this.#job(run, feed!, mirror!);
    this.#mirror()
      .prepare(job)
      .then(
        (prepared) => {
          this.#of(run).prepared = prepared;
          this.#dispatch({ type: 'prepared', run, needsPause: prepared.needsPause });
        },
        (error: unknown) => this.#failed(run, error),
      );
  }

  write(run: string, epoch: number): void {
    this.#of(run).epoch = epoch;
    this.#mirror()
      .write(run, epoch)
      .then(
        (written) => {
          this.#of(run).written = written;
          this.#dispatch({ type: 'finished', run, error: null });
        },
        (error: unknown) => this.#failed(run, error),
      );
  }

  /** What it was doing rejects, if it has not ended yet. A write can only be ended together with its thread. */
  cancel(run: string): void {
    const work = this.#of(run);
    const thread = this.#mirror();
    let ending: Promise<void>;
    if (work.runningAt === undefined) {
      ending = thread.cancel(run);
    } else {
      work.cancelled = true;
      this.#thread = null;
      ending = thread.close(0);
    }
    ending.catch((error: unknown) => this.#deps.log.warn({ err: error, run }, 'a run could not be cancelled'));
  }

  reached(run: string, stage: Stage, epoch: number | null): void {
    const work = this.#of(run);
    const now = performance.now();
    if (epoch !== null) work.epoch = epoch;
    if (stage === 'draining') work.drainingAt ??= now;
    if (stage === 'running') work.runningAt ??= now;
  }

  ended(run: string): void {
    this.#of(run).endedAt ??= performance.now();
  }

  countForced(run: string, requests: number): void {
    this.#of(run).forced += requests;
  }

  /** Null where no feed was ever accepted: there is nothing to report but the error. */
  report(run: string, error: QuiesceError | null, cluster: { workers: number; refused: number }): Report | null {
    const work = this.#of(run);
    const record = this.#deps.runs.get(run);
    const { feed, prepared, written } = work;
    if (feed === undefined || record === undefined) return null;
    const none = { inserted: 0, updated: 0, deleted: 0, unchanged: 0 };
    return {
      id: run,
      epoch: work.epoch ?? 0,
      state: error === null ? 'succeeded' : 'failed',
      feed: { items: prepared?.items ?? 0, bytes: feed.bytes, digest: `sha-256=:${feed.digest}:` },
      counts: written?.counts ?? (error === null ? prepared?.counts : undefined) ?? none,
      timings: timingsOf(work),
      strategy: written?.strategy ?? prepared?.strategy ?? 'scan',
      workers: cluster.workers,
      refused: Math.max(0, cluster.refused - work.refusedBefore),
      forced: work.forced,
      startedAt: record.startedAt,
      endedAt: new Date().toISOString(),
      ...(error === null ? {} : { error: error.toProblem() }),
    };
  }

  /** The run is over: nothing of it is needed any more. */
  discard(run: string): void {
    const feed = this.#work.get(run)?.feed;
    this.#work.delete(run);
    if (feed) void this.#remove(feed.path);
  }

  async dryRun(feed: SpooledFeed, mirror: Options): Promise<DryRunReport> {
    const started = performance.now();
    try {
      this.requireDatabase();
      if (this.#dryRunning)
        throw new QuiesceError('run-in-progress', 'Another dry run is going on. Try again when it has ended.');
      this.#dryRunning = true;
      const run = newRunId(new Date());
      const thread = this.#deps.thread(() => {});
      try {
        const { items, prepareMs } = await thread.prepare(this.#job(run, feed, mirror));
        const { counts, scanMs } = await thread.plan(run);
        const total = performance.now() - started + feed.uploadMs;
        return {
          feed: { items, bytes: feed.bytes, digest: `sha-256=:${feed.digest}:` },
          counts,
          timings: {
            upload: round(feed.uploadMs),
            prepare: round(prepareMs),
            scan: round(scanMs),
            total: round(total),
          },
        };
      } finally {
        this.#dryRunning = false;
        await thread.close();
      }
    } finally {
      await this.#remove(feed.path);
    }
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }

  #of(run: string): Work {
    let work = this.#work.get(run);
    if (work === undefined) {
      work = { startedAt: performance.now(), refusedBefore: this.refused(), forced: 0 };
      this.#work.set(run, work);
    }
    return work;
  }

  #mirror(): MirrorThread {
    return (this.#thread ??= this.#deps.thread((run, progress) => this.#deps.runs.update(run, { progress })));
  }

  #failed(run: string, error: unknown): void {
    if (this.#of(run).cancelled) return this.#dispatch({ type: 'finished', run, error: 'run-timeout' });
    const known = toQuiesceError(error, 'run-failed');
    if (!(error instanceof QuiesceError)) this.#deps.log.error({ err: error, run }, 'a run failed unexpectedly');
    this.#deps.runs.update(run, { error: known.toProblem() });
    this.#dispatch({ type: 'finished', run, error: known.code });
  }

  #job(run: string, feed: SpooledFeed, mirror: Options): MirrorJob {
    const { mongodb, sync, dataDir } = this.#deps.config;
    const db = mirror.db ?? mongodb.db;
    const maxDeletes = mirror.maxDeletes ?? sync.maxDeletes;
    return {
      run,
      spool: feed.path,
      format: feed.format,
      coding: feed.coding,
      uri: mongodb.uri!,
      ...(db === null ? {} : { db }),
      collection: mirror.collection,
      key: mirror.key,
      ...(mirror.scope === undefined ? {} : { scope: mirror.scope }),
      extendedJson: mirror.extendedJson,
      ...(maxDeletes === null ? {} : { maxDeletes }),
      maxBytes: sync.maxBytes,
      strategy: sync.strategy,
      atomic: sync.atomic,
      databaseTimeout: sync.databaseTimeout,
      workDir: join(dataDir, 'work'),
    };
  }

  async #remove(path: string): Promise<void> {
    try {
      await rm(path, { force: true });
    } catch (error) {
      this.#deps.log.warn({ err: error, path }, 'a spool file cannot be removed');
    }
  }
}

function timingsOf(work: Work): Report['timings'] {
  const { prepared, written, drainingAt, runningAt } = work;
  const end = work.endedAt ?? performance.now();
  return {
    upload: round(work.feed?.uploadMs ?? 0),
    prepare: round(prepared?.prepareMs ?? 0),
    drain: drainingAt === undefined ? 0 : round((runningAt ?? end) - drainingAt),
    scan: round(written?.scanMs ?? 0),
    write: round(written?.writeMs ?? 0),
    paused: drainingAt === undefined ? 0 : round(end - drainingAt),
    total: round(end - work.startedAt),
  };
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
