/**
 * The first phase of a two-phase mirror: compares while the app serves, and makes the plan exact in the pause.
 *
 * The collection is read at T0 or later, and the change stream starts right after T0. So every write that the read
 * missed is in the change stream. Comparing the touched keys again, when all of them are known, makes the plan exact.
 * For the same reason the read does not need a snapshot, and it may take as long as it needs.
 */
import { Timestamp } from 'mongodb';
import { ChangeLog } from './database/change-log.ts';
import { checkOutside, compareAll, compareTouched, warmUp } from './database/compare.ts';
import { lacks, missingRights, rightsFor } from './database/rights.ts';
import type { Target } from './database/target.ts';
import { Plan } from './plan.ts';
import { scanProgress, type RunContext } from './run-context.ts';

/** With more touched keys than this, or than this share of the feed, a new scan is as cheap as comparing each key. */
const fewKeys = 10_000;
const keyShare = 1 / 4;
/** The largest number of documents that are read again just before the pause. */
const mostWarmed = 50_000;
/** How many times a moment without differences is looked for before the cluster is paused. */
const settleRounds = 3;

export class TwoPhase {
  readonly #context: RunContext;
  readonly #log: ChangeLog;
  readonly target: Target;
  readonly plan: Plan;

  private constructor(context: RunContext, target: Target, log: ChangeLog) {
    this.#context = context;
    this.#log = log;
    this.target = target;
    this.plan = new Plan(context.feed, context.folder, context.job.deletes);
  }

  /** Compares the whole collection. Resolves with the reason if the server offers no change stream. */
  static async begin(context: RunContext, target: Target): Promise<TwoPhase | string> {
    const { fence, feed, client, session } = context;
    const { db, collection, operationTime } = target;
    if (!target.transactions || !operationTime) return 'the server is no replica set, so there is no change stream';
    if (!target.exists) await fence.mark(); // a database that does not exist yet has no change stream
    const maxKeys = Math.max(fewKeys, feed.table.count * keyShare);
    // The stream skips writes that the compare reads anyway: after a large feed, these are all writes of that feed.
    const since = target.exists ? tickAfter(operationTime) : operationTime;
    const log = await ChangeLog.open(client, db, collection, fence, since, maxKeys);
    if (log.lost !== null) {
      const missing = await missingRights(db, rightsFor['two-phase']());
      if (missing.length > 0) return lacks(missing);
      return `there is no change stream: ${log.lost}`;
    }
    const phase = new TwoPhase(context, target, log);
    try {
      await compareAll(target, phase.plan, session, scanProgress(context), operationTime);
      phase.plan.checkDeletes(context.job.maxDeletes);
      await checkOutside(target, phase.plan.insertedKeys(), feed, session);
    } catch (error) {
      phase.dispose();
      throw error;
    }
    return phase;
  }

  /** Whether there was a moment without differences: then no pause is needed. */
  async isSettled(): Promise<boolean> {
    for (let round = 0; round < settleRounds && this.plan.size === 0; round++) {
      const touched = await this.#catchUp(await this.#context.fence.mark());
      if (touched === null) return false;
      if (touched === 0) return this.plan.size === 0;
    }
    return false;
  }

  /** Avoids disk reads in the pause. Does nothing for a large plan: there, reading is the smaller part of the pause. */
  async warmUp(): Promise<void> {
    if (this.plan.size <= mostWarmed) await warmUp(this.target, this.plan, this.#context.session);
  }

  /**
   * Makes the plan exact up to the write with this mark. While the cluster is quiesced, no write follows the mark.
   *
   * @returns null if the plan is exact, else the reason why not
   */
  async complete(mark: string): Promise<string | null> {
    const touched = await this.#catchUp(mark);
    if (touched === null) return `the change stream could not be followed: ${this.#log.lost}`;
    return null;
  }

  dispose(): void {
    this.plan.dispose();
    this.#log.close();
  }

  /**
   * Returns how many keys were touched; null if that is unknown.
   *
   * Repeats the checks of the first compare: later writes of the app change the plan as well.
   */
  async #catchUp(mark: string): Promise<number | null> {
    const { job, feed, session } = this.#context;
    const keys = await this.#log.catchUp(mark);
    if (keys === null) return null;
    const inserted = await compareTouched(this.target, this.plan, keys, session);
    this.plan.checkDeletes(job.maxDeletes);
    await checkOutside(this.target, inserted, feed, session);
    return keys.size;
  }
}

function tickAfter({ t, i }: Timestamp): Timestamp {
  return new Timestamp({ t, i: i + 1 });
}
