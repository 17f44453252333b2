/** Builds the statements of MongoDB's write commands from bytes. */
import { BSON, type Document } from 'mongodb';
import { bsonType, type Elements } from '../../bson/elements.ts';

export type WriteKind = 'delete' | 'update' | 'insert';

/** What a document has to match besides its key: the elements of a filter, without the enclosing document. */
export type Condition = Uint8Array;

export const anyDocument: Condition = new Uint8Array(0);

export function conditionOf(filter: Document): Condition {
  return BSON.serialize(filter).subarray(4, -1);
}

/** `{q: {_id, …condition}, limit: 1}` */
export function deleteStatement(id: Elements, condition: Condition): Buffer {
  const statement = Buffer.allocUnsafe(4 + querySize(id, condition) + 1 + 6 + 4 + 1);
  let at = writeQuery(statement, id, condition);
  statement[at++] = bsonType.int32;
  at += statement.write('limit\0', at, 'latin1');
  at = statement.writeInt32LE(1, at);
  return finish(statement, at);
}

export interface ReplaceOptions {
  /** A top-level name starts with `$`. */
  readonly dollar: boolean;
  readonly condition: Condition;
  /** The members that stay, as `{name: '$name', …}`. */
  readonly kept: Buffer | null;
}

/**
 * `{q: {_id, …condition}, u: document, upsert: true}`: inserts the document again if it was deleted meanwhile. With a
 * condition, nothing is inserted: a document that does not match the condition may have the key.
 *
 * With `dollar`, it is `u: [{$replaceWith: {$literal: document}}]`, and with `kept`
 * `u: [{$replaceWith: {$mergeObjects: [{$literal: document}, kept]}}]`: MongoDB itself takes these members from the
 * document that it replaces.
 */
export function replaceStatement(id: Elements, document: Buffer, { dollar, condition, kept }: ReplaceOptions): Buffer {
  const wrapping = kept ? 128 + kept.length : dollar ? 3 * 4 + 3 + 14 + 10 + 3 : 0;
  const statement = Buffer.allocUnsafe(4 + querySize(id, condition) + 3 + wrapping + document.length + 9 + 1);
  let at = writeQuery(statement, id, condition);
  const isPipeline = dollar || kept !== null;
  at = isPipeline ? writePipeline(statement, at, document, kept) : writeMember(statement, at, 'u', document);
  statement[at++] = bsonType.boolean;
  at += statement.write('upsert\0', at, 'latin1');
  statement[at++] = condition.length === 0 ? 1 : 0;
  return finish(statement, at);
}

/** `q: {_id: value, …}` consists of `03 'q' 00`, the length, the type, `'_id' 00`, the value, the condition and 00. */
function querySize({ value, end }: Elements, condition: Condition): number {
  return 3 + 4 + 5 + (end - value) + condition.length + 1;
}

function writeQuery(statement: Buffer, id: Elements, condition: Condition): number {
  const { bytes, type, value, end } = id;
  statement[4] = bsonType.object;
  let at = 5 + statement.write('q\0', 5, 'latin1');
  at = statement.writeInt32LE(querySize(id, condition) - 3, at);
  statement[at++] = type;
  at += statement.write('_id\0', at, 'latin1');
  statement.set(bytes.subarray(value, end), at);
  at += end - value;
  statement.set(condition, at);
  at += condition.length;
  statement[at++] = 0;
  return at;
}

function writeMember(statement: Buffer, start: number, name: string, document: Buffer): number {
  statement[start] = bsonType.object;
  const at = start + 1 + statement.write(`${name}\0`, start + 1, 'latin1');
  return at + document.copy(statement, at);
}

function writePipeline(statement: Buffer, start: number, document: Buffer, kept: Buffer | null): number {
  let at = start;
  const opened: number[] = [];
  const open = (type: number, name: string): void => {
    statement[at++] = type;
    at += statement.write(`${name}\0`, at, 'latin1');
    opened.push(at);
    at += 4;
  };
  const close = (): void => {
    const from = opened.pop()!;
    statement[at++] = 0;
    statement.writeInt32LE(at - from, from);
  };
  open(bsonType.array, 'u');
  open(bsonType.object, '0');
  open(bsonType.object, '$replaceWith');
  if (kept) {
    open(bsonType.array, '$mergeObjects');
    open(bsonType.object, '0');
  }
  at = writeMember(statement, at, '$literal', document);
  if (kept) {
    close();
    at = writeMember(statement, at, '1', kept);
  }
  while (opened.length > 0) close();
  return at;
}

function finish(statement: Buffer, at: number): Buffer {
  statement[at] = 0;
  statement.writeInt32LE(at + 1, 0);
  return statement.subarray(0, at + 1);
}
