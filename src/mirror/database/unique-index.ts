/**
 * The keys that a unique index has of a document, as far as they can be told without MongoDB: an index with a collation
 * or of a special kind, and documents with an array on an index's path, which have several keys, are left to MongoDB.
 */
import type { Document, IndexDescription } from 'mongodb';
import { driverValue } from '../bson/driver-value.ts';
import { bsonType, Elements } from '../bson/elements.ts';
import { keyText } from '../bson/keys.ts';

export interface UniqueIndex {
  readonly name: string;
  /** The indexed fields, as queries name them. */
  readonly fields: readonly string[];
  /** Of each field, the names on the way to it. */
  readonly paths: readonly (readonly Uint8Array[])[];
  /** A document that has none of the fields is not in the index. */
  readonly sparse: boolean;
  /** What the documents in the index match; null for all documents. */
  readonly partial: Document | null;
}

/** Null where the index is not unique, or its keys cannot be told. */
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
 * A text that two documents share exactly when the index does not let both in; null where the document is not in the
 * index, or its keys cannot be told. A partial index is taken for one of all documents.
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
 * What documents with the same key match, and maybe others. For a document that has a key; null where no query finds
 * them in the index: MongoDB does not look for null in a sparse one.
 */
export function sameKey({ fields, paths, sparse }: UniqueIndex, bytes: Uint8Array): Document | null {
  const values = paths.map((path) => (seek(bytes, 0, path) === 'one' ? driverValue(element) : null));
  if (sparse && values.includes(null)) return null;
  return { $and: fields.map((field, i) => ({ [field]: { $eq: values[i] } })) };
}

const nullText = `${bsonType.null}:`;
const element = new Elements(Buffer.alloc(5), 0);

/** Moves `element` to what lies at the path. A missing field has the key null. */
function seek(bytes: Uint8Array, at: number, path: readonly Uint8Array[]): 'one' | 'missing' | 'several' {
  element.reset(bytes, at);
  for (const [depth, name] of path.entries()) {
    if (!element.find(name)) return 'missing';
    // An undefined value, which is obsolete, is not equal to null, and queries do not take it.
    if (element.type === bsonType.array || element.type === bsonType.undefined) return 'several';
    if (depth === path.length - 1) return 'one';
    if (element.type !== bsonType.object) return 'missing';
    element.reset(bytes, element.value);
  }
  return 'missing';
}
