/**
 * Writes a plan in batches, each in a transaction with its fence: first deletes, then updates, then inserts, so that a
 * unique value can move from a deleted document to another.
 *
 * Values that move between updated documents (two that swap theirs, say) are in each other's way in any order. The
 * updates from the first such conflict on are made in two steps then: delete, and insert with the rest.
 */
import { MongoError, type ClientSession, type Document } from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import { Elements, idElement } from '../bson/elements.ts';
import { showKey } from '../bson/keys.ts';
import type { Plan } from '../plan.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import type { Fence } from './fence.ts';
import { documents } from './raw-command.ts';
import { deleteStatement, replaceStatement } from './statements.ts';
import { ensureExists, type Target } from './target.ts';

const maxStatements = 2000;
const maxBatchBytes = 8 * 1024 * 1024;

type Kind = 'delete' | 'update' | 'insert';
const fields = { delete: 'deletes', update: 'updates', insert: 'documents' } as const;

interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg: string;
}

const duplicateKey = 11000;

/** What MongoDB would not write, of one batch. */
class RefusedWrites extends QuiesceError {
  /** Another document holds a unique value. */
  readonly isConflict: boolean;

  constructor(kind: Kind, batch: readonly Buffer[], errors: readonly WriteError[]) {
    const told = errors
      .slice(0, 20)
      .map(({ index, code, errmsg }) => ({ key: keyOf(kind, batch[index]), code, detail: errmsg.slice(0, 500) }));
    super(
      'run-failed',
      `MongoDB would not write ${errors.length} of the items, the first with the key ${told[0]?.key}: ${told[0]?.detail}`,
      {
        extra: { errors: told, errorCount: errors.length },
      },
    );
    this.isConflict = errors.every(({ code }) => code === duplicateKey);
  }
}

export class Writer {
  readonly #target: Target;
  readonly #fence: Fence;
  readonly #feed: PreparedFeed;
  readonly #session: ClientSession;
  readonly #onWritten: (count: number) => void;
  readonly #id = new Elements(Buffer.alloc(5), 0);
  #written = 0;
  /** A batch has been sent that may have been committed. */
  dirty = false;

  constructor(
    target: Target,
    fence: Fence,
    feed: PreparedFeed,
    session: ClientSession,
    onWritten: (count: number) => void,
  ) {
    this.#target = target;
    this.#fence = fence;
    this.#feed = feed;
    this.#session = session;
    this.#onWritten = onWritten;
  }

  /** @throws QuiesceError `run-failed` with what MongoDB would not write, or `fenced` */
  async write(plan: Plan): Promise<void> {
    const { deletes, updates, inserts } = plan;
    if (inserts.length > 0) await ensureExists(this.#target, this.#session);
    await this.#batches('delete', deletes.length, (i) => deleteStatement(deletes.at(i)));
    const replaced = await this.#updates(updates.length, (i) => updates.at(i));
    const moved = updates.length - replaced;
    await this.#batches('delete', moved, (i) => deleteStatement(this.#idOf(updates.at(replaced + i))), 0);
    await this.#batches('insert', moved + inserts.length, (i) => {
      // A copy: the batch holds on to it, and the feed's buffer is read over.
      return Buffer.from(this.#feed.document(i < moved ? updates.at(replaced + i) : inserts.at(i - moved)));
    });
  }

  /** Returns how many updates were made before two were in each other's way. */
  async #updates(count: number, item: (i: number) => number): Promise<number> {
    const before = this.#written;
    try {
      await this.#batches('update', count, (i) => {
        const document = this.#feed.document(item(i));
        return replaceStatement(this.#idOf(item(i)), document, this.#feed.isDollar(item(i)));
      });
      return count;
    } catch (error) {
      if (!(error instanceof RefusedWrites) || !this.#target.transactions || !error.isConflict) throw error;
      return this.#written - before;
    }
  }

  /** `weight`: how many documents of progress each statement stands for. */
  async #batches(kind: Kind, count: number, statement: (i: number) => Buffer, weight = 1): Promise<void> {
    for (let next = 0; next < count;) {
      const batch: Buffer[] = [];
      for (let bytes = 0; next < count && batch.length < maxStatements && bytes < maxBatchBytes; next++) {
        const one = statement(next);
        bytes += one.length;
        batch.push(one);
      }
      await this.#commit(kind, batch);
      this.#written += batch.length * weight;
      this.#onWritten(this.#written);
    }
  }

  async #commit(kind: Kind, batch: readonly Buffer[]): Promise<void> {
    const session = this.#session;
    if (!this.#target.transactions) {
      await this.#fence.touch(undefined);
      this.dirty = true;
      return this.#send(kind, batch, undefined);
    }
    try {
      await session.withTransaction(
        async () => {
          await this.#fence.touch(session);
          await this.#send(kind, batch, session);
        },
        { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
      );
    } catch (error) {
      if (error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult')) this.dirty = true;
      throw error;
    }
    this.dirty = true;
  }

  async #send(kind: Kind, batch: readonly Buffer[], session: ClientSession | undefined): Promise<void> {
    const { db, collection } = this.#target;
    const command: Document = {
      [kind]: collection,
      ordered: false,
      ...(session ? {} : { writeConcern: { w: 'majority', j: true } }),
    };
    command[fields[kind]] = documents(fields[kind], batch);
    const result = await db.command(command, session ? { session } : {});
    const errors = result['writeErrors'] as WriteError[] | undefined;
    if (errors?.length) throw new RefusedWrites(kind, batch, errors);
  }

  #idOf(item: number): Elements {
    const id = this.#id.reset(this.#feed.document(item), 0);
    idElement(id);
    return id;
  }
}

function keyOf(kind: Kind, bytes: Buffer | undefined): string {
  if (!bytes) return '(unknown)';
  const id = new Elements(bytes, 0);
  if (kind !== 'insert' && id.next()) id.reset(bytes, id.value); // into the statement's query
  return idElement(id) ? showKey(bytes, id.type, id.value, id.end) : '(unknown)';
}
