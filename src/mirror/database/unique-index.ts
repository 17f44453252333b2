/**
 * Computes the key of a document in a unique index, if that is possible without MongoDB. It leaves to MongoDB: indexes
 * with a collation or of a special kind, and documents with an array on the path of an index, which have several keys.
 */
import type { Document, IndexDescription } from 'mongodb';
import { driverValue } from '../bson/driver-value.ts';
import { bsonType, Elements } from '../bson/elements.ts';
import { keyText } from '../bson/keys.ts';

export interface UniqueIndex {
  readonly name: string;
  /** The indexed fields, as queries name them. */
  readonly fields: readonly string[];
  /** For each field, the names on the path to it. */
  readonly paths: readonly (readonly Uint8Array[])[];
  /** Whether a document without any of the fields is left out of the index. */
  readonly sparse: boolean;
  /** The filter of the documents in the index; null for all documents. */
  readonly partial: Document | null;
}

/** Returns null if the index is not unique, or if its keys cannot be computed. */
export function uniqueIndex({
  name = '',
  key,
  unique,
  collation,
  sparse,
  partialFilterExpression,
}: IndexDescription): UniqueIndex | null {
  if (unique !== true || collation) return null;
  const fields = Object.keys(key);
  if (!Object.values(key).every((kind) => typeof kind === 'number')) return null; // text, 2d, hashed
  if (fields.some((field) => field.includes('$'))) return null; // `$**`
  const paths = fields.map((field) => field.split('.').map((part) => Buffer.from(part)));
  return { name, fields, paths, sparse: sparse === true, partial: partialFilterExpression ?? null };
}

/**
 * Returns a text that is the same for two documents if, and only if, the index refuses the second; null if the document
 * is not in the index or its keys cannot be computed. A partial index is treated as an index of all documents.
 */
export function indexKey({ paths, sparse }: UniqueIndex, bytes: Uint8Array, at: number): string | null {
  let text = '';
  let isAny = false;
  for (const path of paths) {
    const found = seek(bytes, at, path);
    if (found === 'several') return null;
    isAny ||= found === 'one';
    const { type, value, end } = element;
    const part = found === 'one' ? keyText(bytes, type, value, end) : nullText;
    text += `${part.length}:${part}`;
  }
  return sparse && !isAny ? null : text;
}

/**
 * Returns a query that all documents with the same index key match, and maybe others. Call it for a document that has a
 * key. Returns null if no query can use the index: MongoDB does not search null in a sparse index.
 */
export function sameKey({ fields, paths, sparse }: UniqueIndex, bytes: Uint8Array): Document | null {
  const values = paths.map((path) => (seek(bytes, 0, path) === 'one' ? driverValue(element) : null));
  if (sparse && values.includes(null)) return null;
  return { $and: fields.map((field, i) => ({ [field]: { $eq: values[i] } })) };
}

const nullText = `${bsonType.null}:`;
const element = new Elements(Buffer.alloc(5), 0);

/** Moves `element` to the value at the path. A missing field has the key null. */
function seek(bytes: Uint8Array, at: number, path: readonly Uint8Array[]): 'one' | 'missing' | 'several' {
  element.reset(bytes, at);
  for (const [depth, name] of path.entries()) {
    if (!element.find(name)) return 'missing';
    // The obsolete type undefined is not equal to null, and queries do not accept it.
    if (element.type === bsonType.array || element.type === bsonType.undefined) return 'several';
    if (depth === path.length - 1) return 'one';
    if (element.type !== bsonType.object) return 'missing';
    element.reset(bytes, element.value);
  }
  return 'missing';
}
