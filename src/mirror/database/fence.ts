/**
 * The fence: a document for each mirrored collection (and scope) that holds the newest epoch that has written there.
 * A primary that was thought dead, and writes on, is refused by MongoDB itself.
 *
 * Taking it raises the epoch, to one above what it held when the run was prepared. Each batch touches it inside its
 * transaction, asking for its own epoch, run and owner: a newer primary that takes the fence meanwhile conflicts with that
 * write, so one of the two transactions cannot commit. Equal epochs are one owner's only: two primaries of one run may
 * choose the same, and of two that do, the first keeps the other out.
 * Without transactions the same is asked before each batch, which leaves the length of one batch open.
 *
 * The last transaction of a run says in the fence that it is finished. So a run that is begun anew after a crash
 * knows whether it was done before, and does not undo what the app has written since.
 * A rename is in no transaction, and its answer may be lost. So the fence says before it which copy is to be renamed:
 * where the collection has that one's UUID, the rename was made, and the run is finished.
 */
import { randomUUID } from 'node:crypto';
import {
  MongoServerError,
  type Binary,
  type ClientSession,
  type Collection,
  type Db,
  type Filter,
  type UpdateFilter,
  type UpdateOptions,
} from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import type { Counts } from '../../protocol/runs.ts';
import type { MirrorJob } from '../messages.ts';
import { majority } from './clients.ts';
import { collectionId } from './collection-id.ts';
import { ifAllowed } from './errors.ts';

/** The collection of the fences, in the mirrored database. */
export const fenceCollection = 'quiesce.fence';

const durably = { writeConcern: majority };

const thread = randomUUID();

/** What a run is about to do by renaming a copy over the collection. */
export interface Renaming {
  /** The copy's UUID. */
  readonly copy: Binary;
  readonly counts: Counts;
}

interface FenceDocument {
  _id: string;
  epoch?: number;
  run?: string;
  takenAt?: Date;
  /** Of the run, begun anew or not. Grows with each batch: the write that makes batches and takers conflict. */
  batches?: number;
  owner?: string;
  /** The session that the run writes in, and the thread that it belongs to. */
  session?: Binary;
  thread?: string;
  /** What the run has done, once it is done. */
  finished?: Counts;
  /** Announced, made or not. */
  renaming?: Renaming;
  /** Changes at each write that has to be found again in the change stream. */
  mark?: string;
}

export class Fence {
  readonly #db: Db;
  readonly #fences: Collection<FenceDocument>;
  readonly #collection: string;
  readonly id: string;
  #epoch = 0;
  #renaming: Renaming | undefined;
  readonly #run: string;
  readonly #owner: string;

  constructor(db: Db, { run, owner, collection, scope }: Pick<MirrorJob, 'run' | 'owner' | 'collection' | 'scope'>) {
    this.#db = db;
    this.#fences = db.collection<FenceDocument>(fenceCollection);
    this.#collection = collection;
    this.#run = run;
    this.#owner = owner;
    this.id = scope ? `${nameText(collection)} ${scopeText(scope)}` : nameText(collection);
  }

  /** What the run has done, where it was finished before. */
  async finished(): Promise<Counts | null> {
    const fence = await this.#fences.findOne({ _id: this.id, run: this.#run });
    const finished = fence?.finished ?? (await this.#made(fence?.renaming));
    if (!finished) return null;
    await this.mark(); // when this one is with the majority, so is what was read
    return finished;
  }

  /**
   * What the rename has done that this run has announced, where it was made. Ask with the fence taken, and when there is
   * no copy left that a rename that is still on its way could find.
   */
  renamed(): Promise<Counts | null> {
    return this.#made(this.#renaming);
  }

  /** The newest epoch of this run; 0 where the fence is another's. */
  async ownEpoch(): Promise<number> {
    const fence = await this.#fences.findOne({ _id: this.id, run: this.#run });
    return fence?.epoch ?? 0;
  }

  /** The newest epoch; 0 where the fence was never taken. */
  async takenWith(): Promise<number> {
    const fence = await this.#fences.findOne({ _id: this.id });
    return fence?.epoch ?? 0;
  }

  /**
   * From now on no older epoch writes. Returns what the run has done, where it was finished before; whether it had begun
   * to write; and the mark by which this is found in the change stream.
   *
   * @throws QuiesceError `fenced` where the fence holds a larger epoch, or the same one of another run or owner
   */
  async take(
    epoch: number,
    session: ClientSession,
  ): Promise<{ mark: string; finished: Counts | null; wrote: boolean }> {
    this.#epoch = epoch;
    await this.#endOlder(epoch);
    const mark = randomUUID();
    const run = this.#run;
    const ifOwn = (value: string): object => ({ $cond: [{ $eq: ['$run', run] }, value, '$$REMOVE'] });
    const mine = {
      epoch,
      run,
      takenAt: '$$NOW',
      batches: { $cond: [{ $eq: ['$run', run] }, '$batches', 0] },
      session: { $literal: session.id!.id },
      owner: this.#owner,
      thread,
      mark,
      finished: ifOwn('$finished'),
      renaming: ifOwn('$renaming'),
    };
    try {
      const fence = await this.#fences.findOneAndUpdate(this.#mayTake(epoch), [{ $set: mine }], {
        upsert: true,
        returnDocument: 'after',
        ...durably,
      });
      this.#renaming = fence?.renaming;
      return { mark, finished: fence?.finished ?? null, wrote: (fence?.batches ?? 0) > 0 };
    } catch (error) {
      // No document that may be taken, and one that stands in the way of a new one: a newer fence.
      if (error instanceof MongoServerError && error.code === 11000) throw await this.#fenced();
      throw error;
    }
  }

  /** A write of no meaning but its place among the others; returns the mark by which it is found. */
  async mark(): Promise<string> {
    const mark = randomUUID();
    const update = { $set: { mark } };
    await this.#fences.updateOne({ _id: this.markId }, update, { upsert: true, ...durably });
    return mark;
  }

  /** Where `mark` writes: not into the fence, which a run of another primary may be about to touch. */
  get markId(): string {
    return `${this.id} mark`;
  }

  /**
   * @param finished what the run has done, with its last write; 'no' where that is taken back
   * @throws QuiesceError `fenced` where a newer primary has taken it
   */
  async touch(session: ClientSession | undefined, finished?: Counts | 'no'): Promise<void> {
    const end = finished === 'no' ? { $unset: { finished: true as const } } : finished ? { $set: { finished } } : {};
    await this.#update({ $inc: { batches: 1 }, ...end }, session ? { session } : durably);
  }

  /**
   * Just before a rename.
   *
   * @throws QuiesceError `fenced` where a newer primary has taken it
   */
  async announce(renaming: Renaming): Promise<void> {
    await this.#update({ $set: { renaming } }, durably);
    this.#renaming = renaming;
  }

  async #update(update: UpdateFilter<FenceDocument>, options: UpdateOptions): Promise<void> {
    const mine = { _id: this.id, epoch: this.#epoch, run: this.#run, owner: this.#owner };
    const { matchedCount } = await this.#fences.updateOne(mine, update, options);
    if (matchedCount === 0) throw await this.#fenced();
  }

  async #made(renaming: Renaming | undefined): Promise<Counts | null> {
    if (!renaming) return null;
    const id = await collectionId(this.#db, this.#collection);
    return id && renaming.copy.toString('hex') === id.toString('hex') ? renaming.counts : null;
  }

  #mayTake(epoch: number): Filter<FenceDocument> {
    return { _id: this.id, $or: [{ epoch: { $lt: epoch } }, { epoch, run: this.#run, owner: this.#owner }] };
  }

  /**
   * A primary, or a thread, that was ended in the middle of a transaction leaves it open, and its documents locked, for a minute.
   * Whoever takes over ends its session instead.
   */
  async #endOlder(epoch: number): Promise<void> {
    const older = await this.#fences.findOne(this.#mayTake(epoch));
    // This thread ends its own transactions, and the driver has given their sessions to others.
    if (!older?.session || older.thread === thread) return;
    // Without the right to end the session of another user, that minute has to be waited for.
    await ifAllowed(this.#db.command({ killSessions: [{ id: older.session }] }));
  }

  async #fenced(): Promise<QuiesceError> {
    const newer = await this.#fences.findOne({ _id: this.id }).catch(() => null);
    return new QuiesceError(
      'fenced',
      `Another primary has written to ${this.id} with the epoch ${newer?.epoch ?? 'unknown'}, and this one has ${this.#epoch}: it writes no more. Is the same database mirrored from two data directories?`,
      { extra: newer?.epoch === undefined ? {} : { epoch: newer.epoch } },
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

/** A name that could be read as one with a scope, or as that of a mark, is quoted; others stand in the fences as they are. */
function nameText(collection: string): string {
  return /[\s"]/.test(collection) ? JSON.stringify(collection) : collection;
}

function scopeText(scope: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(scope).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}
