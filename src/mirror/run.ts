/**
 * One run in the mirror thread.
 *
 * States: new → preparing → prepared → (planned, for a dry run) → writing → over. `dispose` ends it from any of them.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientSession, Db } from 'mongodb';
import { QuiesceError } from '../errors.ts';
import type { Counts, Progress } from '../protocol/runs.ts';
import type { Clients } from './database/clients.ts';
import { Fence } from './database/fence.ts';
import { scan } from './database/scan.ts';
import { checkOutside } from './database/scope.ts';
import { openTarget, type Target } from './database/target.ts';
import { Writer } from './database/write.ts';
import type { MirrorJob, Planned, Prepared, Written } from './messages.ts';
import { Plan } from './plan.ts';
import { PreparedFeed } from './prepared/prepared-feed.ts';
import { ProgressMeter } from './progress-meter.ts';
import { readFeed } from './read-feed.ts';

export class MirrorRun {
  readonly #job: MirrorJob;
  readonly #clients: Clients;
  readonly #folder: string;
  readonly #progress: ProgressMeter;
  readonly #abort = new AbortController();
  #feed: PreparedFeed | null = null;
  #items = 0;
  /** Some writes were made. */
  dirty = false;

  constructor(job: MirrorJob, clients: Clients, onProgress: (progress: Progress) => void) {
    this.#job = job;
    this.#folder = join(job.workDir, job.run);
    this.#clients = clients;
    this.#progress = new ProgressMeter(onProgress);
  }

  async prepare(): Promise<Prepared> {
    const startedAt = performance.now();
    const job = this.#job;
    const feed = new PreparedFeed(this.#folder);
    this.#feed = feed;
    this.#progress.start('prepare');
    const { items, bytes } = await readFeed(job, feed, (done) => this.#progress.tick(done), this.#abort.signal);
    this.#items = items;
    await openTarget(this.#db(), job.collection, job.scope); // refuses what cannot be mirrored into
    return { items, bytes, prepareMs: performance.now() - startedAt, needsPause: true, strategy: 'scan' };
  }

  async plan(): Promise<Planned> {
    return this.#withSession(async (session) => {
      const { plan, scanMs } = await this.#compare(await this.#target(), session);
      return { counts: plan.counts, scanMs };
    });
  }

  async write(epoch: number): Promise<Written> {
    return this.#withSession(async (session) => {
      const job = this.#job;
      const fence = new Fence(this.#db(), job.run, job.collection, job.scope);
      await fence.take(epoch);
      const target = await this.#target();
      const { plan, scanMs } = await this.#compare(target, session);
      const startedAt = performance.now();
      this.#progress.start('write', plan.size);
      const onWritten = (done: number): void => this.#progress.tick(done, plan.size);
      const writer = new Writer(target, fence, this.#prepared(), session, onWritten);
      try {
        await writer.write(plan);
      } finally {
        this.dirty = writer.dirty;
      }
      return { counts: plan.counts, strategy: 'scan', scanMs, writeMs: performance.now() - startedAt };
    });
  }

  /** Stops what is going on for the run, and removes its folder. */
  dispose(): void {
    this.#abort.abort(new QuiesceError('run-failed', 'The run was cancelled.'));
    this.#feed?.dispose();
    this.#feed = null;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #compare(target: Target, session: ClientSession): Promise<{ plan: Plan; counts: Counts; scanMs: number }> {
    const startedAt = performance.now();
    const feed = this.#prepared();
    const plan = new Plan(feed);
    this.#progress.start('scan', this.#items);
    const { db, collection, filter } = target;
    if (target.exists) {
      await scan(db, { collection, filter, session }, plan.take, (done) => {
        this.#abort.signal.throwIfAborted();
        this.#progress.tick(done, Math.max(done, this.#items));
      });
    }
    plan.finish();
    plan.checkDeletes(this.#job.maxDeletes);
    if (filter) await checkOutside(target, plan, feed, session);
    return { plan, counts: plan.counts, scanMs: performance.now() - startedAt };
  }

  #target(): Promise<Target> {
    return openTarget(this.#db(), this.#job.collection, this.#job.scope);
  }

  #db(): Db {
    return this.#clients.get(this.#job.uri, this.#job.databaseTimeout).db(this.#job.db);
  }

  #prepared(): PreparedFeed {
    if (!this.#feed) throw new QuiesceError('internal', `The run ${this.#job.run} is not prepared.`);
    return this.#feed;
  }

  async #withSession<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    const session = this.#clients.get(this.#job.uri, this.#job.databaseTimeout).startSession();
    try {
      return await work(session);
    } finally {
      await session.endSession();
    }
  }
}
