/**
 * Collects the keys of a collection that are written after a given moment, from a change stream of its database.
 *
 * States: open → lost, which is final. A log is lost if the stream is no longer complete: it failed, the oplog was
 * overrun, the collection was dropped or renamed, or so much was written that a new scan is cheaper. `catchUp` of a
 * lost log returns null, and its caller compares everything.
 */
import type { ClientSession, Db, MongoClient, Timestamp } from 'mongodb';
import { bsonType, Elements, int32At } from '../bson/elements.ts';
import { keyText } from '../bson/keys.ts';
import type { TouchedKeys } from '../plan.ts';
import { plainMessage } from './errors.ts';
import { fenceCollection, type Fence } from './fence.ts';
import { Batch } from './scan.ts';

/** How long the server waits for a change before it returns an empty batch, ms. */
const longPoll = 1000;
const catchUpTimeout = 10_000;
const names = { operation: Buffer.from('operationType'), key: Buffer.from('key'), mark: Buffer.from('mark') };

export class ChangeLog {
  readonly #db: Db;
  readonly #session: ClientSession;
  #keys = new Map<string, Uint8Array>();
  readonly #maxKeys: number;
  readonly #marks = new Set<string>();
  #waiting: (() => void) | null = null;
  #cursor = 0n;
  #closed = false;
  /** Why the log is lost. */
  lost: string | null = null;

  private constructor(client: MongoClient, db: Db, maxKeys: number) {
    this.#db = db;
    this.#session = client.startSession({ causalConsistency: false });
    this.#maxKeys = maxKeys;
  }

  /**
   * Follows the collection from the operation time `since` on, including writes at that time. A log that cannot be
   * opened is lost from the start.
   *
   * @param maxKeys the largest number of keys to keep
   */
  static async open(
    client: MongoClient,
    db: Db,
    collection: string,
    fence: Fence,
    since: Timestamp,
    maxKeys: number,
  ): Promise<ChangeLog> {
    const log = new ChangeLog(client, db, maxKeys);
    try {
      await log.#open(collection, fence, since);
    } catch (error) {
      log.#lose(error);
      await log.#session.endSession();
    }
    return log;
  }

  /**
   * Waits until all writes before the write with this mark are known. Resolves with the keys touched since the last
   * call, or with null if the log is lost.
   */
  async catchUp(mark: string): Promise<TouchedKeys | null> {
    const deadline = performance.now() + catchUpTimeout;
    while (!this.#marks.has(mark) && this.lost === null) {
      const left = deadline - performance.now();
      if (left <= 0) this.#lose(new Error('the change stream is too far behind'));
      else await this.#next(left);
    }
    if (this.lost !== null) return null;
    const keys = this.#keys;
    this.#keys = new Map();
    this.#marks.clear();
    return keys;
  }

  /** Ends the stream after the read in progress: the server logs a warning if a cursor is killed during a read. */
  close(): void {
    this.#closed = true;
    this.#lose(new Error('it is closed'));
  }

  async #open(collection: string, fence: Fence, since: Timestamp): Promise<void> {
    const pipeline = [
      { $changeStream: { startAtOperationTime: since } },
      {
        $match: {
          $or: [
            { 'ns.coll': collection },
            { 'to.coll': collection },
            { 'ns.coll': fenceCollection, 'documentKey._id': { $in: [fence.id, fence.markId] } },
            { operationType: { $in: ['dropDatabase', 'invalidate'] } },
          ],
        },
      },
      {
        $project: {
          operationType: 1,
          key: { $cond: [{ $eq: ['$ns.coll', collection] }, '$documentKey._id', '$$REMOVE'] },
          mark: {
            $cond: [
              { $eq: ['$ns.coll', fenceCollection] },
              { $ifNull: ['$updateDescription.updatedFields.mark', '$fullDocument.mark'] },
              '$$REMOVE',
            ],
          },
        },
      },
    ];
    // A stream of the database, not of the collection: it has the fence's writes in order, and a drop does not end it.
    this.#take(await this.#send({ aggregate: 1, pipeline, cursor: {}, readConcern: { level: 'majority' } }));
    void this.#follow();
  }

  async #follow(): Promise<void> {
    try {
      while (!this.#closed && this.lost === null) {
        this.#take(await this.#send({ getMore: this.#cursor, collection: '$cmd.aggregate', maxTimeMS: longPoll }));
      }
      // Otherwise the cursor stays open on the server for ten minutes.
      if (this.#cursor !== 0n) await this.#db.command({ killCursors: '$cmd.aggregate', cursors: [this.#cursor] });
    } catch (error) {
      this.#lose(error);
    } finally {
      await this.#session.endSession().catch(() => {});
    }
  }

  async #send(command: object): Promise<Uint8Array> {
    const reply = await this.#db.command(command, { session: this.#session, raw: true });
    return reply['cursor'] as Uint8Array;
  }

  #take(cursor: Uint8Array): void {
    const batch = new Batch(cursor);
    this.#cursor = batch.cursorId;
    batch.walk((bytes, at) => this.#event(bytes, at));
    if (this.#cursor === 0n) this.#lose(new Error('the server has ended the change stream'));
    this.#waiting?.();
  }

  #event(bytes: Uint8Array, at: number): void {
    let operation = '';
    let isMark = false;
    let key: Uint8Array | null = null;
    let text = '';
    const elements = new Elements(bytes, at);
    while (elements.next()) {
      const { name, nameEnd, type, start, value, end } = elements;
      const is = (wanted: Buffer): boolean => wanted.equals(bytes.subarray(name, nameEnd));
      if (is(names.operation)) operation = stringAt(bytes, value);
      else if (is(names.mark) && type === bsonType.string) {
        this.#marks.add(stringAt(bytes, value));
        isMark = true;
      } else if (is(names.key)) {
        key = Uint8Array.prototype.slice.call(bytes, start, end);
        text = keyText(bytes, type, value, end);
      }
    }
    if (key !== null) this.#keys.set(text, key);
    else if (!isMark && !documentOperations.has(operation))
      this.#lose(new Error(`the collection has seen a ${operation}`));
    if (this.#keys.size > this.#maxKeys)
      this.#lose(new Error(`more than ${this.#maxKeys} keys were written meanwhile`));
  }

  #lose(error: unknown): void {
    this.lost ??= error instanceof Error ? plainMessage(error) : String(error);
    this.#keys.clear();
    this.#waiting?.();
  }

  /** Resolves with the next batch, or after `timeout` ms. */
  #next(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, timeout);
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
      this.#waiting = done;
    });
  }
}

const documentOperations = new Set(['insert', 'update', 'replace', 'delete']);

function stringAt(bytes: Uint8Array, value: number): string {
  const length = int32At(bytes, value);
  return Buffer.from(bytes.buffer, bytes.byteOffset + value + 4, length - 1).toString('utf8');
}
