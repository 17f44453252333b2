/**
 * Reads a collection in batches of raw bytes. No object is created for a document, and the next batch is requested
 * while the current one is walked. This is several times as fast as a cursor, and no reference keeps a batch in memory.
 */
import type { ClientSession, Db, Document } from 'mongodb';
import { bsonType, Elements, int32At } from '../bson/elements.ts';
import { int64At } from '../bson/numbers.ts';

export interface ScanOptions {
  readonly collection: string;
  readonly filter?: Document | undefined;
  readonly projection?: Document | undefined;
  readonly session: ClientSession;
  /** More fields of the `find` command. */
  readonly find?: Document;
}

/** One stored document: `bytes` from `at` to `end`; valid during the call. */
export type TakeDocument = (bytes: Uint8Array, at: number, end: number) => void;

/** The approximate size of a batch: large enough to make a round trip cheap, small enough to keep memory flat. */
const batchBytes = 4 * 1024 * 1024;
const firstBatch = 1000;

interface RawReply {
  cursor: Uint8Array;
}

/** Calls `take` for each document, and `onBatch` after each batch with the number of documents so far. */
export async function scan(
  db: Db,
  options: ScanOptions,
  take: TakeDocument,
  onBatch: (count: number) => void,
): Promise<void> {
  const { collection, filter, projection, session } = options;
  let count = 0;
  let cursorId = 0n;
  let next = send(
    db,
    {
      find: collection,
      filter: filter ?? {},
      ...(projection ? { projection } : {}),
      batchSize: firstBatch,
      readConcern: { level: 'local' }, // a cluster may have a different default
      ...options.find,
    },
    session,
  );
  try {
    do {
      const batch = new Batch((await next).cursor);
      cursorId = batch.cursorId;
      if (cursorId !== 0n) {
        next = send(db, { getMore: cursorId, collection, batchSize: batch.size(batchBytes) }, session);
        next.catch(() => {}); // the next iteration awaits it, unless `take` throws
      }
      count += batch.walk(take);
      onBatch(count);
    } while (cursorId !== 0n);
  } catch (error) {
    if (cursorId !== 0n) {
      await next.catch(() => {}); // one command at a time in a session
      await db.command({ killCursors: collection, cursors: [cursorId] }, { session }).catch(() => {}); // else it times out
    }
    throw error;
  }
}

function send(db: Db, command: Document, session: ClientSession): Promise<RawReply> {
  // `raw` leaves embedded documents as raw bytes: here the whole cursor with its batch.
  return db.command(command, { session, raw: true }) as unknown as Promise<RawReply>;
}

/** The `cursor` of a reply: `{firstBatch or nextBatch: [documents], id, ns}`. */
export class Batch {
  readonly cursorId: bigint;
  readonly #bytes: Uint8Array;
  #array = 0;
  #arrayEnd = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    let cursorId = 0n;
    const elements = new Elements(bytes, 0);
    while (elements.next()) {
      if (elements.type === bsonType.array) {
        this.#array = elements.value;
        this.#arrayEnd = elements.end;
      } else if (elements.type === bsonType.int64) {
        cursorId = int64At(bytes, elements.value);
      }
    }
    this.cursorId = cursorId;
  }

  /** Estimates how many documents make a batch of `bytes` bytes. */
  size(bytes: number): number {
    let count = 0;
    const elements = new Elements(this.#bytes, this.#array);
    while (count < 100 && elements.next()) count++;
    const average = (elements.end - this.#array) / Math.max(1, count);
    return Math.max(10, Math.min(50_000, Math.round(bytes / average)));
  }

  walk(take: TakeDocument): number {
    const bytes = this.#bytes;
    const end = this.#arrayEnd - 1;
    let count = 0;
    for (let at = this.#array + 4; at < end; count++) {
      at++; // the type, always a document
      while (bytes[at] !== 0) at++; // its index
      at++;
      const length = int32At(bytes, at);
      take(bytes, at, at + length);
      at += length;
    }
    return count;
  }
}
