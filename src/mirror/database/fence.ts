/**
 * The fence: a document for each mirrored collection (and scope) with the newest epoch that has written there. It makes
 * MongoDB itself refuse a primary that was thought dead and still writes.
 *
 * Taking the fence raises the epoch to one above its value when the run was prepared. Each batch updates the fence
 * inside its transaction, with its own epoch, run and owner as the condition. A newer primary that takes the fence
 * meanwhile conflicts with that update, so one of the two transactions cannot commit. An epoch belongs to one owner
 * only: if two primaries of one run choose the same epoch, the first keeps the second out. Without transactions, the
 * same condition is checked before each batch, so a gap of one batch stays open.
 *
 * The last transaction of a run records in the fence that the run is finished. So a run that is started again after a
 * crash knows that it was finished before, and does not undo later writes of the app.
 * A rename cannot be in a transaction, and its answer may be lost. So the fence records before the rename which copy is
 * to be renamed: if the collection has the UUID of that copy, the rename was made and the run is finished.
 */
import { randomUUID } from 'node:crypto';
import type { Binary, ClientSession, Collection, Db, Filter, UpdateFilter, UpdateOptions } from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import type { Counts } from '../../protocol/api/runs.ts';
import type { MirrorJob } from '../messages.ts';
import { majority } from './clients.ts';
import { collectionId } from './collection-id.ts';
import { isDuplicateKey } from '../../duplicate-key.ts';
import { ifAllowed } from './errors.ts';

/** The collection of the fences, in the mirrored database. */
export const fenceCollection = 'quiesce.fence';

const durably = { writeConcern: majority };

const thread = randomUUID();

/** The rename of a copy over the collection that a run is about to make. */
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
  /**
   * The number of batches of the run, across restarts. This write makes a batch conflict with another primary's `take`.
   */
  batches?: number;
  owner?: string;
  /** The session of the run's writes, and (`thread`) the thread that owns the session. */
  session?: Binary;
  thread?: string;
  /** The counts of the run, once it is finished. */
  finished?: Counts;
  /** The announced rename, made or not. */
  renaming?: Renaming;
  /** A new value for each write that has to be found in the change stream. */
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

  /** Returns the counts of the run if it was finished before, else null. */
  async finished(): Promise<Counts | null> {
    const fence = await this.#fences.findOne({ _id: this.id, run: this.#run });
    const finished = fence?.finished ?? (await this.#made(fence?.renaming));
    if (!finished) return null;
    await this.mark(); // once the majority has this write, it also has the writes that were read
    return finished;
  }

  /**
   * Returns the counts of the rename that this run announced, if it was made. Call it only with the fence taken, and
   * when no copy is left that a delayed rename could still use.
   */
  renamed(): Promise<Counts | null> {
    return this.#made(this.#renaming);
  }

  /** Returns the newest epoch of this run; 0 if the fence belongs to another run. */
  async ownEpoch(): Promise<number> {
    const fence = await this.#fences.findOne({ _id: this.id, run: this.#run });
    return fence?.epoch ?? 0;
  }

  /** Returns the newest epoch; 0 if the fence was never taken. */
  async takenWith(): Promise<number> {
    const fence = await this.#fences.findOne({ _id: this.id });
    return fence?.epoch ?? 0;
  }

  /**
   * Takes the fence: from now on, no older epoch can write. Returns the counts of the run if it was finished before,
   * whether it had started to write, and the mark that identifies this write in the change stream.
   *
   * @throws QuiesceError `fenced` if the fence has a larger epoch, or the same epoch of another run or owner
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
      // No fence matches the filter, and a fence with this `_id` exists: it is newer.
      if (isDuplicateKey(error)) throw await this.#fenced();
      throw error;
    }
  }

  /** Makes a write that only marks a place in the order of writes; returns the mark that identifies it. */
  async mark(): Promise<string> {
    const mark = randomUUID();
    const update = { $set: { mark } };
    await this.#fences.updateOne({ _id: this.markId }, update, { upsert: true, ...durably });
    return mark;
  }

  /** The document that `mark` writes. It is not the fence, to avoid conflicts with a run of another primary. */
  get markId(): string {
    return `${this.id} mark`;
  }

  /**
   * Updates the fence, for each batch of writes.
   *
   * @param finished the counts of the run, with its last write; 'no' if the run is put back
   * @throws QuiesceError `fenced` if a newer primary has taken the fence
   */
  async touch(session: ClientSession | undefined, finished?: Counts | 'no'): Promise<void> {
    const end = finished === 'no' ? { $unset: { finished: true as const } } : finished ? { $set: { finished } } : {};
    await this.#update({ $inc: { batches: 1 }, ...end }, session ? { session } : durably);
  }

  /**
   * Records a rename in the fence, just before the rename.
   *
   * @throws QuiesceError `fenced` if a newer primary has taken the fence
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
   * A primary or a thread that ended during a transaction leaves it open, with its documents locked, for a minute. So
   * the process that takes over ends the old session.
   */
  async #endOlder(epoch: number): Promise<void> {
    const older = await this.#fences.findOne(this.#mayTake(epoch));
    // This thread ends its own transactions, and the driver may use their sessions again.
    if (!older?.session || older.thread === thread) return;
    // Without the right to end the session of another user, the run waits for that minute.
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

/** Returns the largest epoch in any fence of the database; 0 if no fence was ever taken. */
export async function newestEpoch(db: Db): Promise<number> {
  const newest = await db
    .collection<FenceDocument>(fenceCollection)
    .findOne({}, { sort: { epoch: -1 }, projection: { epoch: 1 } });
  return newest?.epoch ?? 0;
}

/**
 * Quotes a name with a space or a quote, which could be confused with a scope or a mark; leaves other names as they
 * are.
 */
function nameText(collection: string): string {
  return /[\s"]/.test(collection) ? JSON.stringify(collection) : collection;
}

function scopeText(scope: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(scope).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}
