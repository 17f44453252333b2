/**
 * What is sent to MongoDB to carry out a plan, in this order: deletes, updates, inserts, so that a unique value can move
 * from a deleted document to another. Two updates that swap unique values are in each other's way in any order: where
 * that happens the updates are moved, that is made by a delete and an insert each.
 */
import { Elements, idElement } from '../bson/elements.ts';
import type { Plan } from '../plan.ts';
import type { PreparedFeed } from '../prepared/prepared-feed.ts';
import { RefusedWrites } from './refused-writes.ts';
import { deleteStatement, replaceStatement, type Condition, type WriteKind } from './statements.ts';

/** How many of a plan's entries may have been written, of each list, from its beginning on. */
export interface Reach {
  deletes: number;
  updates: number;
  inserts: number;
}

export interface Step {
  readonly kind: WriteKind;
  /** Whose entries it writes, from the first on. */
  readonly list: keyof Reach;
  readonly count: number;
  /** A statement's bytes, which are the caller's. */
  readonly statement: (i: number) => Uint8Array;
  /** Whether each statement is a document of the plan, for the progress. */
  readonly counts: boolean;
  readonly bypassValidation?: boolean;
  /** A document that has the key of one to be inserted stays, and nothing is said. */
  readonly spares?: boolean;
}

export interface Mode {
  /** Updates are made by a delete and an insert. */
  readonly moveUpdates: boolean;
  /** Inserts replace what has their key: somebody else inserted it after it was compared. */
  readonly upsertInserts: boolean;
  /** The deletes have been made: to look for them again takes longer than to make them. */
  readonly skipDeletes: boolean;
}

export const plainMode: Mode = { moveUpdates: false, upsertInserts: false, skipDeletes: false };

/** How to go on after MongoDB refused some writes, or null where that would not help. */
export function nextMode(error: unknown, mode: Mode, condition: Condition): Mode | null {
  if (!(error instanceof RefusedWrites) || !error.isConflict) return null;
  if (error.kind === 'update') return mode.moveUpdates ? null : { ...mode, moveUpdates: true };
  if (condition.length > 0) return null; // what has the key may be none of the mirror's documents
  return error.isKeyConflict && !mode.upsertInserts ? { ...mode, upsertInserts: true } : null;
}

/** `condition`: what the mirror's documents match; no other is touched. */
export function stepsOf(plan: Plan, feed: PreparedFeed, mode: Mode, condition: Condition): Step[] {
  const { moveUpdates, upsertInserts, skipDeletes } = mode;
  const replace = (item: number): Uint8Array =>
    replaceStatement(idOf(feed.document(item)), feed.document(item), feed.isDollar(item), condition);
  const copy = (item: number): Uint8Array => Buffer.from(feed.document(item));
  const write = upsertInserts ? replace : copy;
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
    steps.push({
      kind: upsertInserts ? 'update' : 'insert',
      list: 'updates',
      count: plan.updates,
      statement: (i) => write(plan.updated(i)),
      counts: true,
    });
  } else {
    steps.push({
      kind: 'update',
      list: 'updates',
      count: plan.updates,
      statement: (i) => replace(plan.updated(i)),
      counts: true,
    });
  }
  steps.push({
    kind: upsertInserts ? 'update' : 'insert',
    list: 'inserts',
    count: plan.inserts,
    statement: (i) => write(plan.inserted(i)),
    counts: true,
  });
  return steps;
}

/**
 * What puts back what the plan may have changed; its documents were stored before, valid or not. What it has not
 * reached is left alone: somebody else may be about to write it.
 *
 * By deletes and inserts only: an upsert looks for its key first, and among keys that have just been deleted that takes
 * WiredTiger milliseconds for each.
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

/** So many statements make a batch. Further ones are as cheap in the next. */
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

/** Valid until the next call. */
function idOf(document: Buffer): Elements {
  idElement(elements.reset(document, 0));
  return elements;
}
