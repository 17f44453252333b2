/**
 * One run in the mirror thread.
 *
 * States: new → preparing → prepared → (planned, for a dry run) → writing → over. `dispose` ends it in any state.
 *
 * The strategy decides what `prepare` does:
 *   two-phase  compares the collection while the app serves; a change stream reports later writes, and the pause
 *              compares only those again
 *   swap       the same, and builds a copy that replaces the collection by one rename
 *   scan       nothing: the collection is compared in the pause. The other strategies fall back to this one
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { QuiesceError } from '../errors.ts';
import type { Progress } from '../protocol/api/runs.ts';
import { CarryOut } from './carry-out.ts';
import type { Clients } from './database/clients.ts';
import { Fence } from './database/fence.ts';
import { openTarget } from './database/target.ts';
import { requireRights, rightsFor } from './database/rights.ts';
import { patiently } from './database/write/patience.ts';
import type { MirrorJob, Planned, Prepared, Written } from './messages.ts';
import { itemsAt } from './feed/splitter-of.ts';
import { PreparedFeed } from './prepared/prepared-feed.ts';
import { ProgressMeter } from './progress-meter.ts';
import { readFeed } from './read-feed.ts';
import type { RunContext } from './run-context.ts';
import { refuseEarly, survey, type Foreseen, type Survey } from './survey.ts';

export class MirrorRun {
  readonly #job: MirrorJob;
  readonly #context: Omit<RunContext, 'feed'>;
  readonly #abort = new AbortController();
  #feed: PreparedFeed | null = null;
  #survey: Survey | null = null;
  #carryOut: CarryOut | null = null;
  /** The work in progress. `dispose` removes the files only after it has ended. */
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

  /** Some writes were made, or may have been made, and are not put back. */
  get dirty(): boolean {
    return this.#carryOut?.dirty ?? false;
  }

  prepare(): Promise<Prepared> {
    return this.#work(async () => {
      const { folder, progress, signal } = this.#context;
      const startedAt = performance.now();
      rmSync(folder, { recursive: true, force: true }); // files of the same run from a former thread
      this.#feed = new PreparedFeed(folder, itemsAt(this.#job), this.#job.keep);
      progress.start('prepare');
      const read = await readFeed(this.#job, this.#feed, (done) => progress.tick(done), signal);
      const readAt = performance.now();
      const fenceEpoch = await this.#patiently(() => this.#fenceEpoch());
      this.#survey = await this.#patiently(() => survey(this.#prepared()));
      const { prepared } = this.#survey;
      return { ...read, ...prepared, fenceEpoch, prepareMs: readAt - startedAt, scanMs: performance.now() - readAt };
    });
  }

  /** Counts the changes of a dry run. */
  plan(): Promise<Planned> {
    return this.#work(async () => {
      const startedAt = performance.now();
      const { counts, note } = await this.#patiently(() => this.#scanned());
      return { counts, scanMs: performance.now() - startedAt, ...(note === null ? {} : { note }) };
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

  /** Stops the run's work in progress and removes its files. */
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

  /** The first request to the database. Reports the rights that are missing. */
  async #fenceEpoch(): Promise<number> {
    const { reading, writing } = rightsFor;
    const { collection, dryRun = false } = this.#job;
    await requireRights(this.#context.db, [...reading(collection), ...(dryRun ? [] : writing(collection))]);
    return this.#context.fence.takenWith();
  }

  async #scanned(): Promise<Foreseen> {
    const { collection, scope } = this.#job;
    return refuseEarly(this.#prepared(), await openTarget(this.#context.db, collection, scope));
  }

  #patiently<T>(work: () => Promise<T>): Promise<T> {
    return patiently(this.#job.databaseTimeout, this.#abort.signal, async () => {
      // A client whose first connection failed does not connect again by itself.
      await this.#context.client.connect();
      return work();
    });
  }

  #prepared(): RunContext {
    if (!this.#feed) throw new QuiesceError('internal', `The run ${this.#job.run} is not prepared.`);
    return { ...this.#context, feed: this.#feed };
  }
}
