/**
 * The fence: a document for each mirrored collection (and scope) that holds the newest epoch that has written there.
 * A primary that was thought dead, and writes on, is refused by MongoDB itself.
 *
 * Taking it raises the epoch. Each batch touches it inside its transaction, asking for its own epoch and run: a newer
 * primary that takes the fence meanwhile conflicts with that write, so one of the two transactions cannot commit.
 * Without transactions the same is asked before each batch, which leaves the length of one batch open.
 */
import { MongoServerError, type ClientSession, type Collection, type Db } from 'mongodb';
import { QuiesceError } from '../../errors.ts';

/** The collection of the fences, in the mirrored database. */
export const fenceCollection = 'quiesce.fence';

interface FenceDocument {
  _id: string;
  epoch: number;
  run: string;
  takenAt: Date;
  /** Grows with each batch: the write that makes batches and takers conflict. */
  batches: number;
}

export class Fence {
  readonly #fences: Collection<FenceDocument>;
  readonly #id: string;
  #epoch = 0;
  readonly #run: string;

  constructor(db: Db, run: string, collection: string, scope: Readonly<Record<string, unknown>> | undefined) {
    this.#fences = db.collection<FenceDocument>(fenceCollection);
    this.#run = run;
    this.#id = scope
      ? `${collection} ${JSON.stringify(Object.fromEntries(Object.entries(scope).toSorted(([a], [b]) => (a < b ? -1 : 1))))}`
      : collection;
  }

  /** @throws QuiesceError `fenced` where the fence holds a larger epoch, or the same one of another run */
  async take(epoch: number): Promise<void> {
    this.#epoch = epoch;
    const mayTake = { _id: this.#id, $or: [{ epoch: { $lt: epoch } }, { epoch, run: this.#run }] };
    const fence = { epoch, run: this.#run, takenAt: new Date(), batches: 0 };
    try {
      await this.#fences.updateOne(mayTake, { $set: fence }, { upsert: true, writeConcern: { w: 'majority' } });
    } catch (error) {
      // No document that may be taken, and one that stands in the way of a new one: a newer fence.
      if (error instanceof MongoServerError && error.code === 11000) throw this.#fenced();
      throw error;
    }
  }

  /** @throws QuiesceError `fenced` where a newer primary has taken it */
  async touch(session: ClientSession | undefined): Promise<void> {
    const mine = { _id: this.#id, epoch: this.#epoch, run: this.#run };
    const { matchedCount } = await this.#fences.updateOne(mine, { $inc: { batches: 1 } }, session ? { session } : {});
    if (matchedCount === 0) throw this.#fenced();
  }

  #fenced(): QuiesceError {
    return new QuiesceError(
      'fenced',
      `Another primary has written to ${this.#id} with a newer epoch than ${this.#epoch}: this one writes no more. Is the same database mirrored from two data directories?`,
    );
  }
}

/** 0 where no fence was ever taken. */
export async function newestEpoch(db: Db): Promise<number> {
  const newest = await db
    .collection<FenceDocument>(fenceCollection)
    .findOne({}, { sort: { epoch: -1 }, projection: { epoch: 1 } });
  return newest?.epoch ?? 0;
}
