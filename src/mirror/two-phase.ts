/**
 * The first phase of a two-phase mirror, while the app serves, and what the pause needs of it.
 *
 * The collection is read as it is at T0 or later, and the change stream begins right after T0, so whatever the read
 * missed is among the keys that have been touched since. Comparing those again, after the last of them is known, makes
 * the plan exact. That the read is no snapshot does not matter for the same reason, and it can take as long as it likes.
 */
import { Timestamp } from 'mongodb';
import { ChangeLog } from './database/change-log.ts';
import { checkOutside, compareAll, compareTouched, warmUp } from './database/compare.ts';
import type { Target } from './database/target.ts';
import { Plan } from './plan.ts';
import { scanProgress, type RunContext } from './run-context.ts';

/** Of this many keys, or of this share of the feed, a new scan is as cheap as comparing them one by one. */
const fewKeys = 10_000;
const keyShare = 1 / 4;
/** So many documents are read once more just before the pause. */
const mostWarmed = 50_000;
/** So often it is tried to find a moment in which nothing differs, before the cluster is paused for one. */
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
    this.plan = new Plan(context.feed, context.folder);
  }

  /** Compares the whole collection; resolves with why that was not possible where the server has no change stream for us. */
  static async begin(context: RunContext, target: Target): Promise<TwoPhase | string> {
    const { fence, feed, client, session } = context;
    const { db, collection, operationTime } = target;
    if (!target.transactions || !operationTime) return 'the server is no replica set, so there is no change stream';
    if (!target.exists) await fence.mark(); // there may be no database yet, and then no change stream of it
    const maxKeys = Math.max(fewKeys, feed.table.count * keyShare);
    // What the compare reads need not come again: after a large feed, that is all that the feed has written.
    const since = target.exists ? tickAfter(operationTime) : operationTime;
    const log = await ChangeLog.open(client, db, collection, fence, since, maxKeys);
    if (log.lost !== null) return `there is no change stream: ${log.lost}`;
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

  /** Whether there was a moment at which nothing differed: then nothing need be paused. */
  async isSettled(): Promise<boolean> {
    for (let round = 0; round < settleRounds && this.plan.size === 0; round++) {
      const touched = await this.#catchUp(await this.#context.fence.mark());
      if (touched === null) return false;
      if (touched === 0) return this.plan.size === 0;
    }
    return false;
  }

  /** So that the pause waits for no disk. Where much is to be written, its own reading is the smaller part of it. */
  async warmUp(): Promise<void> {
    if (this.plan.size <= mostWarmed) await warmUp(this.target, this.plan, this.#context.session);
  }

  /**
   * Makes the plan exact, up to the write with this mark; with the cluster at rest, nothing comes after it.
   *
   * @returns null where it is, else why it cannot be
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
   * How many keys had been touched; null where that is not known.
   *
   * Each time with all that the first compare was refused for: what the app has written since changes the plan as well.
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
