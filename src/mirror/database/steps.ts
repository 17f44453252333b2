/**
 * Turns a plan into the statements for MongoDB, in this order: deletes, updates, inserts, so that a unique value can
 * move from a deleted document to another. Two updates that swap unique values conflict in any order: then the updates
 * are moved, which means that each one becomes a delete and an insert.
 */
import { Elements, idElement } from '../bson/elements.ts';
import type { Plan } from '../plan.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { RefusedWrites } from './write/refused-writes.ts';
import { deleteStatement, replaceStatement, type Condition, type WriteKind } from './write/statements.ts';

/** How many entries of each list of a plan, counted from its start, may have been written. */
export interface Reach {
  deletes: number;
  updates: number;
  inserts: number;
}

export interface Step {
  readonly kind: WriteKind;
  /** The list whose entries it writes, from the first entry on. */
  readonly list: keyof Reach;
  readonly count: number;
  /** Returns the bytes of a statement, which the caller may keep. */
  readonly statement: (i: number) => Uint8Array;
  /** Whether each statement counts as one document in the progress. */
  readonly counts: boolean;
  readonly bypassValidation?: boolean;
  /** If a document with the key of an insert exists, it stays, without an error. */
  readonly spares?: boolean;
}

export interface Mode {
  /** Each update is a delete and an insert. */
  readonly moveUpdates: boolean;
  /** Inserts replace a document with the same key: another writer inserted it after the comparison. */
  readonly upsertInserts: boolean;
  /** The deletes are done: looking for them again takes longer than making them. */
  readonly skipDeletes: boolean;
}

export const plainMode: Mode = { moveUpdates: false, upsertInserts: false, skipDeletes: false };

/** Returns the mode for the next attempt after MongoDB refused some writes, or null if no mode would help. */
export function nextMode(error: unknown, mode: Mode, condition: Condition): Mode | null {
  if (!(error instanceof RefusedWrites) || !error.isConflict) return null;
  if (error.kind === 'update') return mode.moveUpdates ? null : { ...mode, moveUpdates: true };
  if (condition.length > 0) return null; // the document with the key may be outside the mirror
  return error.isKeyConflict && !mode.upsertInserts ? { ...mode, upsertInserts: true } : null;
}

/** `condition`: the mirror's documents match it, and no other document is changed. */
export function stepsOf(plan: Plan, feed: PreparedFeed, mode: Mode, condition: Condition): Step[] {
  const { moveUpdates, upsertInserts, skipDeletes } = mode;
  const kept = feed.kept?.projection ?? null;
  const replaced = (item: number, document: Buffer): Uint8Array =>
    replaceStatement(idOf(document), document, { dollar: feed.isDollar(item), condition, kept });
  const replace = (item: number): Uint8Array => replaced(item, feed.document(item));
  const copy = (item: number): Uint8Array => Buffer.from(feed.document(item));
  const write = upsertInserts ? replace : copy;
  const move = (item: number): Uint8Array => {
    const whole = Buffer.from(feed.whole(item)); // its stored document is deleted first
    return upsertInserts ? replaced(item, whole) : whole;
  };
  const steps: Step[] = [];
  if (!skipDeletes) {
    steps.push({
      kind: 'delete',
      list: 'deletes',
      count: plan.deletes,
      statement: (i) => deleteStatement(idOf(plan.deleted(i)), condition),
      counts: true,
    });
  }
  if (moveUpdates) {
    steps.push({
      kind: 'delete',
      list: 'updates',
      count: plan.updates,
      statement: (i) => deleteStatement(idOf(plan.replaced(i)), condition),
      counts: false,
    });
  }
  const inserted = upsertInserts ? 'update' : 'insert';
  const updated = moveUpdates ? move : replace;
  steps.push({
    kind: moveUpdates ? inserted : 'update',
    list: 'updates',
    count: plan.updates,
    statement: (i) => updated(plan.updated(i)),
    counts: true,
  });
  steps.push({
    kind: inserted,
    list: 'inserts',
    count: plan.inserts,
    statement: (i) => write(plan.inserted(i)),
    counts: true,
  });
  return steps;
}

/**
 * Returns the steps that put back all documents that the plan may have changed. The validator is bypassed, since they
 * were stored before, valid or not. Entries beyond `reach` are not touched: another process may be about to write them.
 *
 * Uses only deletes and inserts: an upsert first searches its key, and among keys that were just deleted, each search
 * takes WiredTiger milliseconds.
 */
export function undoSteps(plan: Plan, feed: PreparedFeed, condition: Condition, reach: Reach): Step[] {
  const put = { kind: 'insert', counts: false, bypassValidation: true, spares: true } as const;
  const take = { kind: 'delete', counts: false } as const;
  const remove = (document: Buffer): Uint8Array => deleteStatement(idOf(document), condition);
  return [
    { ...take, list: 'inserts', count: reach.inserts, statement: (i) => remove(feed.document(plan.inserted(i))) },
    { ...take, list: 'updates', count: reach.updates, statement: (i) => remove(plan.replaced(i)) },
    { ...take, list: 'deletes', count: reach.deletes, statement: (i) => remove(plan.deleted(i)) },
    { ...put, list: 'updates', count: reach.updates, statement: (i) => Buffer.from(plan.replaced(i)) },
    { ...put, list: 'deletes', count: reach.deletes, statement: (i) => Buffer.from(plan.deleted(i)) },
  ];
}

/** The number of statements in a batch. Larger batches are not cheaper. */
const fullBatch = 5000;
const maxBatchBytes = 8 * 1024 * 1024;

export function* batchesOf(
  { count, statement }: Pick<Step, 'count' | 'statement'>,
  maxStatements: number = fullBatch,
): Generator<Uint8Array[]> {
  for (let next = 0; next < count;) {
    const batch: Uint8Array[] = [];
    for (let bytes = 0; next < count && batch.length < maxStatements && bytes < maxBatchBytes; next++) {
      const one = statement(next);
      bytes += one.length;
      batch.push(one);
    }
    yield batch;
  }
}

const elements = new Elements(Buffer.alloc(5), 0);

/** Returns the `_id`, valid until the next call. */
function idOf(document: Buffer): Elements {
  idElement(elements.reset(document, 0));
  return elements;
}
