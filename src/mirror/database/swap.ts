/**
 * The swap: a copy of the feed is built in a collection of its own while the app serves, with the options, validators
 * and indexes of the real one, and takes its place by one rename.
 *
 * The rename cannot be in a transaction with the fence. But whoever takes the fence removes all copies of older runs
 * before anything else, so that a rename of an older primary either came before, and is seen, or finds nothing to rename.
 * No two copies have one name, not even of the same run in the same thread: a primary that wakes up, or a rename that is
 * still on its way, must not find what another has half built.
 */
import { createHash, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  MongoServerError,
  type Binary,
  type ClientSession,
  type Db,
  type Document,
  type IndexDescription,
} from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import { FeedFaults } from '../feed/feed-faults.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { collectionId } from './collection-id.ts';
import { ifAllowed, isTimedOut, plainMessage } from './errors.ts';
import type { Fence } from './fence.ts';
import { indexesOf } from './indexes.ts';
import { documents } from './raw-command.ts';
import { RefusedWrites, type WriteError } from './refused-writes.ts';
import { batchesOf } from './steps.ts';
import { openTarget, type Target } from './target.ts';
import { WriteConflict } from './transaction-errors.ts';

export interface SwapOptions {
  readonly target: Target;
  readonly fence: Fence;
  readonly feed: PreparedFeed;
  readonly run: string;
  readonly signal: AbortSignal;
  readonly onStaged: (count: number) => void;
}

/** How long indexes may take to be built, ms; other commands take no longer than a socket may be silent. */
const longestBuild = 3_600_000;

export class Swap {
  readonly #options: SwapOptions;
  /** The copy's name. */
  readonly name: string;
  #id: Binary | null = null;
  #indexes: IndexDescription[] = [];

  constructor(options: SwapOptions) {
    this.#options = options;
    const { target, run } = options;
    this.name = `${stagingPrefix(target.collection)}${run}.${randomBytes(4).toString('hex')}`;
  }

  /**
   * Builds the copy.
   *
   * @throws QuiesceError `invalid-feed` where a document breaks a validator or a unique index: nothing has been changed
   */
  async build(session: ClientSession): Promise<void> {
    const { target } = this.#options;
    this.#indexes = await indexesOf(target);
    try {
      await target.db.createCollection(this.name, target.options);
      this.#id = await collectionId(target.db, this.name);
      await this.#load(session);
      // The documents need not be acknowledged one by one, but all of them have to outlive the server from here on.
      await this.#options.fence.mark();
      // After the documents: one build from sorted keys is faster than many inserts into each index.
      if (this.#indexes.length > 0) await this.#createIndexes();
    } catch (error) {
      await this.dispose();
      throw error;
    }
  }

  /** Whether the real collection still has the options and indexes that the copy was given. */
  async isCurrent(): Promise<boolean> {
    const { db, collection } = this.#options.target;
    const now = await openTarget(db, collection, undefined);
    return (
      isDeepStrictEqual(now.options, this.#options.target.options) &&
      isDeepStrictEqual(await indexesOf(now), this.#indexes)
    );
  }

  /** The copy's UUID, once it is built. */
  get id(): Binary {
    if (this.#id === null) throw new QuiesceError('internal', `The copy ${this.name} has not been built.`);
    return this.#id;
  }

  /**
   * Whatever it throws, it may have been made or be on its way: ask {@link Fence.renamed} when the copy is dropped.
   *
   * @param patience how long, in ms, a transaction of somebody else may hold the collection
   * @throws WriteConflict
   */
  async rename(patience: number): Promise<void> {
    const { db, collection } = this.#options.target;
    const from = `${db.databaseName}.${this.name}`;
    const command = { renameCollection: from, to: `${db.databaseName}.${collection}`, dropTarget: true };
    try {
      await db.admin().command({ ...command, maxTimeMS: patience, writeConcern: { w: 'majority' } });
    } catch (error) {
      throw isTimedOut(error) ? new WriteConflict(patience, error) : error;
    }
  }

  /** From then on there is nothing that a rename could find. */
  async drop(): Promise<void> {
    await ifAllowed(this.#options.target.db.dropCollection(this.name));
  }

  async dispose(): Promise<void> {
    await this.drop().catch(() => {}); // the next run removes it
  }

  async #load(session: ClientSession): Promise<void> {
    const { feed, target, signal, onStaged } = this.#options;
    const { count } = feed.table;
    let done = 0;
    for (const batch of batchesOf({ count, statement: (i) => Buffer.from(feed.document(i)) })) {
      signal.throwIfAborted();
      const command = {
        insert: this.name,
        ordered: false,
        writeConcern: { w: 1 },
        documents: documents('documents', batch),
      };
      const { writeErrors } = (await target.db.command(command, { session })) as { writeErrors?: WriteError[] };
      if (writeErrors?.length) throw new RefusedWrites('insert', batch, writeErrors, feed);
      onStaged((done += batch.length));
    }
  }

  async #createIndexes(): Promise<void> {
    const { db } = this.#options.target;
    try {
      const command = { createIndexes: this.name, indexes: this.#indexes, writeConcern: { w: 'majority' } };
      await db.command(command, { timeoutMS: longestBuild });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 11000)) throw error;
      // MongoDB names the value and no document.
      const faults = new FeedFaults();
      faults.add('', `two items have the same value for a unique index: ${plainMessage(error)}`);
      faults.check();
    }
  }
}

/** Why this collection must not be swapped, or null. */
export function swapFault(target: Target): string | null {
  if (target.filter) return 'a mirror with a scope shares its collection with other documents';
  if (target.sharded) return 'a sharded collection cannot be renamed over';
  return null;
}

/**
 * Whether somebody follows the collection: a rename would end his change stream or cursor. Where that cannot be seen,
 * it is taken for yes.
 */
export async function isWatched({ db, collection }: Target, own: ClientSession): Promise<boolean> {
  const namespace = `${db.databaseName}.${collection}`;
  const isOpen = [
    { $match: { ns: namespace, 'lsid.id': { $ne: own.id?.id } } },
    {
      $match: {
        $or: [{ 'cursor.tailable': true }, { 'cursor.originatingCommand.pipeline.$changeStream': { $exists: true } }],
      },
    },
    { $limit: 1 },
  ];
  // Everybody's cursors can be seen with the privilege `inprog` only, those of the same user without it.
  for (const allUsers of [true, false]) {
    try {
      const pipeline: Document[] = [{ $currentOp: { allUsers, idleCursors: true } }, ...isOpen];
      return (await db.admin().command({ aggregate: 1, pipeline, cursor: {} }))['cursor'].firstBatch.length > 0;
    } catch (error) {
      if (!(error instanceof MongoServerError)) throw error;
    }
  }
  return true;
}

/**
 * Removes what has been built and not renamed, but for the copy `own`. Only with the fence taken. Who may not drop a
 * collection may not rename over one either, so what such a run has left is in nobody's way.
 */
export async function dropLeftovers(db: Db, collection: string, own?: string): Promise<void> {
  const prefix = stagingPrefix(collection);
  const names = await db
    .listCollections({ name: { $regex: `^${prefix.replaceAll('.', '\\.')}` } }, { nameOnly: true })
    .toArray();
  for (const { name } of names) if (name !== own) await ifAllowed(db.dropCollection(name));
}

/** A collection's name may be as long as a name can be: it goes in as a hash. */
function stagingPrefix(collection: string): string {
  return `quiesce.staging.${createHash('sha256').update(collection).digest('hex').slice(0, 12)}.`;
}
