/**
 * One run in the mirror thread.
 *
 * States: new → preparing → prepared → (planned, for a dry run) → writing → over. `dispose` ends it from any of them.
 *
 * What is prepared depends on the strategy:
 *   two-phase  the collection has been compared while the app served, and a change stream tells what was written
 *              since: in the pause only that is compared again
 *   swap       the same, and a copy has been built that takes the collection's place by one rename
 *   scan       nothing: the collection is compared in the pause. What the others fall back to
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { QuiesceError } from '../errors.ts';
import type { Counts, Progress } from '../protocol/runs.ts';
import { CarryOut } from './carry-out.ts';
import type { Clients } from './database/clients.ts';
import { Fence } from './database/fence.ts';
import { openTarget } from './database/target.ts';
import { requireRights, rightsFor } from './database/rights.ts';
import { patiently } from './database/patience.ts';
import type { MirrorJob, Planned, Prepared, Written } from './messages.ts';
import { PreparedFeed } from './prepared/prepared-feed.ts';
import { ProgressMeter } from './progress-meter.ts';
import { readFeed } from './read-feed.ts';
import type { RunContext } from './run-context.ts';
import { refuseEarly, survey, type Survey } from './survey.ts';

export class MirrorRun {
  readonly #job: MirrorJob;
  readonly #context: Omit<RunContext, 'feed'>;
  readonly #abort = new AbortController();
  #feed: PreparedFeed | null = null;
  #survey: Survey | null = null;
  #carryOut: CarryOut | null = null;
  /** What is going on: the files must not go before it. */
  #busy: Promise<unknown> = Promise.resolve();

  constructor(job: MirrorJob, clients: Clients, onProgress: (progress: Progress) => void) {
    this.#job = job;
    const client = clients.get(job.uri, job.databaseTimeout);
    const db = client.db(job.db);
    this.#context = {
      job,
      client,
      db,
      session: client.startSession({ causalConsistency: false }),
      fence: new Fence(db, job),
      folder: join(job.workDir, job.run),
      progress: new ProgressMeter(onProgress),
      signal: this.#abort.signal,
    };
  }

  /** Some writes were made and not put back. */
  get dirty(): boolean {
    return this.#carryOut?.dirty ?? false;
  }

  prepare(): Promise<Prepared> {
    return this.#work(async () => {
      const { folder, progress, signal } = this.#context;
      const startedAt = performance.now();
      rmSync(folder, { recursive: true, force: true }); // what a former thread left of the same run
      this.#feed = new PreparedFeed(folder);
      progress.start('prepare');
      const read = await readFeed(this.#job, this.#feed, (done) => progress.tick(done), signal);
      const readAt = performance.now();
      const fenceEpoch = await this.#patiently(() => this.#fenceEpoch());
      this.#survey = await this.#patiently(() => survey(this.#prepared()));
      const { prepared } = this.#survey;
      return { ...read, ...prepared, fenceEpoch, prepareMs: readAt - startedAt, scanMs: performance.now() - readAt };
    });
  }

  /** For a run that is not going to be written. */
  plan(): Promise<Planned> {
    return this.#work(async () => {
      const startedAt = performance.now();
      const { counts } = this.#survey?.phase?.plan ?? (await this.#patiently(() => this.#scanned()));
      return { counts, scanMs: performance.now() - startedAt };
    });
  }

  write(epoch: number): Promise<Written> {
    return this.#work(async () => {
      const startedAt = performance.now();
      const carryOut = new CarryOut(this.#prepared(), this.#survey!);
      this.#carryOut = carryOut;
      try {
        const { comparedAt, ...outcome } = await this.#patiently(() => carryOut.attempt(epoch));
        return { ...outcome, scanMs: comparedAt - startedAt, writeMs: performance.now() - comparedAt };
      } catch (error) {
        await carryOut.putBack(error);
        throw error;
      }
    });
  }

  /** Ends what is going on for the run, and removes what it made. */
  async dispose(): Promise<void> {
    this.#abort.abort(new QuiesceError('run-failed', 'The run was cancelled.'));
    await this.#busy.catch(() => {});
    this.#carryOut?.dispose();
    this.#survey?.phase?.dispose();
    await this.#survey?.swap?.dispose();
    this.#feed?.dispose();
    rmSync(this.#context.folder, { recursive: true, force: true });
    await this.#context.session.endSession();
  }

  #work<T>(work: () => Promise<T>): Promise<T> {
    const busy = work();
    this.#busy = busy;
    return busy;
  }

  /** The first that is asked of the database: what it would not allow is named here. */
  async #fenceEpoch(): Promise<number> {
    const { reading, writing } = rightsFor;
    const { collection, dryRun = false } = this.#job;
    await requireRights(this.#context.db, [...reading(collection), ...(dryRun ? [] : writing(collection))]);
    return this.#context.fence.takenWith();
  }

  async #scanned(): Promise<{ readonly counts: Counts }> {
    const { collection, scope } = this.#job;
    return { counts: await refuseEarly(this.#prepared(), await openTarget(this.#context.db, collection, scope)) };
  }

  #patiently<T>(work: () => Promise<T>): Promise<T> {
    return patiently(this.#job.databaseTimeout, this.#abort.signal, async () => {
      // A client whose first connection failed would never try again by itself.
      await this.#context.client.connect();
      return work();
    });
  }

  #prepared(): RunContext {
    if (!this.#feed) throw new QuiesceError('internal', `The run ${this.#job.run} is not prepared.`);
    return { ...this.#context, feed: this.#feed };
  }
}
