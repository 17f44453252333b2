/**
 * The swap: builds a copy of the feed in a separate collection while the app serves, with the options, validators and
 * indexes of the real collection, and replaces the real collection by one rename.
 *
 * The rename cannot be in a transaction with the fence. But a process that takes the fence first removes all copies of
 * older runs. So a rename of an older primary either came before, and is seen, or finds nothing to rename.
 * Two copies never have the same name, not even for the same run in the same thread: a primary that wakes up, or a
 * delayed rename, must not find a copy that another process has not finished.
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
import { Elements, idElement } from '../bson/elements.ts';
import { FeedFaults } from '../feed/feed-faults.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { collectionId } from './collection-id.ts';
import { isDuplicateKey } from '../../duplicate-key.ts';
import { ifAllowed, isTimedOut, plainMessage } from './errors.ts';
import type { Fence } from './fence.ts';
import { indexesOf } from './indexes.ts';
import { documents } from './raw-command.ts';
import { isIndexFault, RefusedWrites, type WriteError } from './write/refused-writes.ts';
import { batchesOf } from './steps.ts';
import { anyDocument, replaceStatement } from './write/statements.ts';
import { openTarget, type Target } from './target.ts';
import { WriteConflict } from './write/transaction-errors.ts';

export interface SwapOptions {
  readonly target: Target;
  readonly fence: Fence;
  readonly feed: PreparedFeed;
  readonly run: string;
  readonly signal: AbortSignal;
  readonly onStaged: (count: number) => void;
}

/** How long building indexes may take, ms. Other commands are limited by the socket timeout. */
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
   * @throws QuiesceError `invalid-feed` if a document violates a validator or a unique index: nothing was changed
   */
  async build(session: ClientSession): Promise<void> {
    const { target, feed } = this.#options;
    this.#indexes = await indexesOf(target);
    feed.kept?.watch();
    try {
      await target.db.createCollection(this.name, target.options);
      this.#id = await collectionId(target.db, this.name);
      await this.#load(session);
      // Single documents are not acknowledged by the majority. After this write, the majority has all of them.
      await this.#options.fence.mark();
      // Indexes come after the documents: one build from sorted keys is faster than many inserts into each index.
      if (this.#indexes.length > 0) await this.#createIndexes();
    } catch (error) {
      await this.dispose();
      throw error;
    }
  }

  /** Writes again what the app has written, since the copy was built, to the members that it owns. */
  async refresh(session: ClientSession): Promise<void> {
    const { feed, target, signal } = this.#options;
    const items = feed.kept?.changed ?? [];
    const replace = (i: number): Uint8Array => {
      const item = items[i]!;
      const document = feed.whole(item);
      const id = new Elements(document, 0);
      idElement(id);
      return replaceStatement(id, document, { dollar: feed.isDollar(item), condition: anyDocument, kept: null });
    };
    for (const batch of batchesOf({ count: items.length, statement: replace })) {
      signal.throwIfAborted();
      const command = { update: this.name, ordered: false, updates: documents('updates', batch) };
      const { writeErrors } = (await target.db.command(command, { session })) as { writeErrors?: WriteError[] };
      if (writeErrors?.length) throw new RefusedWrites('update', batch, writeErrors, feed);
    }
  }

  /** Whether the real collection still has the same options and indexes as the copy. */
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
   * Renames the copy over the collection. After any error, the rename may still have been made or be delayed: drop the
   * copy, then ask {@link Fence.renamed}.
   *
   * @param patience how long, in ms, another transaction may lock the collection
   * @throws WriteConflict if another transaction locks the collection for longer
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

  /** Drops the copy. After that, a delayed rename finds nothing. */
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
    for (const batch of batchesOf({ count, statement: (i) => Buffer.from(feed.whole(i)) })) {
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
    const { target, feed } = this.#options;
    const { db } = target;
    try {
      const command = { createIndexes: this.name, indexes: this.#indexes, writeConcern: { w: 'majority' } };
      await db.command(command, { timeoutMS: longestBuild });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && isIndexFault(error.code))) throw error;
      // MongoDB names only the value, not the documents.
      const faults = new FeedFaults(feed.at);
      const why = isDuplicateKey(error)
        ? 'two items have the same value for a unique index'
        : 'an index refuses an item';
      faults.add('', `${why}: ${plainMessage(error)}`);
      faults.check();
    }
  }
}

/** Returns why this collection must not be swapped, or null. */
export function swapFault(target: Target, deletes: boolean = true): string | null {
  if (!deletes) return 'a mirror that deletes nothing has documents that the feed does not have';
  if (target.filter) return 'a mirror with a scope shares its collection with other documents';
  if (target.sharded) return 'a sharded collection cannot be renamed over';
  return null;
}

/**
 * Whether another client follows the collection: a rename would end its change stream or cursor. Returns true if the
 * user may not see that.
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
  // Only the privilege `inprog` shows the cursors of all users; without it, only those of the same user are visible.
  for (const allUsers of [true, false]) {
    try {
      const pipeline: Document[] = [{ $currentOp: { allUsers, idleCursors: true } }, ...isOpen];
      const command = { aggregate: 1, pipeline, cursor: {}, readConcern: { level: 'local' } };
      return (await db.admin().command(command))['cursor'].firstBatch.length > 0;
    } catch (error) {
      if (!(error instanceof MongoServerError)) throw error;
    }
  }
  return true;
}

/**
 * Removes all copies that were not renamed, except the copy `own`. Call it only with the fence taken. A user who may
 * not drop a collection may not rename over one either, so the copies of such a run do no harm.
 */
export async function dropLeftovers(db: Db, collection: string, own?: string): Promise<void> {
  const prefix = stagingPrefix(collection);
  const names = await db
    .listCollections({ name: { $regex: `^${prefix.replaceAll('.', '\\.')}` } }, { nameOnly: true })
    .toArray();
  for (const { name } of names) if (name !== own) await ifAllowed(db.dropCollection(name));
}

/** Uses a hash of the collection's name, which may already have the maximum length. */
function stagingPrefix(collection: string): string {
  return `quiesce.staging.${createHash('sha256').update(collection).digest('hex').slice(0, 12)}.`;
}
