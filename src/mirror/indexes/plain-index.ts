/**
 * Computes the keys of a document in an ascending or descending index, as MongoDB does. An array on the path of a field
 * makes a key for each of its entries. It leaves paths with numbers to MongoDB, where they lead through an array: there a
 * number may be a position or a name.
 */
import type { CollationOptions, Document, IndexDescription } from 'mongodb';
import { bsonType, Elements, int32At, type Place } from '../bson/elements.ts';
import { keyText } from '../bson/keys.ts';

export interface PlainIndex {
  readonly name: string;
  /** The indexed fields, as queries name them. */
  readonly fields: readonly string[];
  /** For each field, the names on the path to it. */
  readonly paths: readonly (readonly Uint8Array[])[];
  /** A path contains a number. */
  readonly isPositional: boolean;
  readonly unique: boolean;
  /** Whether a document without any of the fields is left out of the index. */
  readonly sparse: boolean;
  /** Queries cannot use it. */
  readonly hidden: boolean;
  /** The filter of the documents in the index; null for all documents. */
  readonly partial: Document | null;
  /** null: strings are equal if their bytes are. */
  readonly collation: CollationOptions | null;
}

/** Returns null for an index of a special kind: text, 2d, 2dsphere, hashed, wildcard. */
export function plainIndex(index: IndexDescription): PlainIndex | null {
  const { name = '', key, unique, collation, sparse, hidden, partialFilterExpression } = index;
  const fields = Object.keys(key);
  if (!Object.values(key).every((kind) => typeof kind === 'number')) return null;
  if (fields.some((field) => field.includes('$'))) return null; // `$**`
  const parts = fields.map((field) => field.split('.'));
  return {
    name,
    fields,
    paths: parts.map((path) => path.map((part) => Buffer.from(part))),
    isPositional: parts.some((path) => path.slice(1).some((part) => /^\d+$/.test(part))),
    unique: unique === true,
    sparse: sparse === true,
    hidden: hidden === true,
    partial: partialFilterExpression ?? null,
    collation: collation ?? null,
  };
}

/** Where the value of a field lies; `missing` and `empty` stand for the field that is not there and the empty array. */
export type Part = 'missing' | 'empty' | Place;

/** One value for each field of the index. */
export type Parts = readonly Part[];

/**
 * Returns the keys; none if the document is not in the index. `parallel`: the document has two arrays, which no index
 * can have. `unknown`: MongoDB alone can tell. A partial index is treated as an index of all documents.
 */
export function partsOf(index: PlainIndex, bytes: Uint8Array, at: number): Parts[] | 'parallel' | 'unknown' {
  const { paths, sparse, isPositional } = index;
  const keys: Parts[] = [];
  let hasArray = false;
  const walk = (document: number, depths: readonly number[], fixed: readonly Part[], absent: number): boolean => {
    const parts = [...fixed];
    const open: number[] = [];
    const next = [...depths];
    let array = -1;
    let missing = absent;
    for (const [field, path] of paths.entries()) {
      if (depths[field] === done) continue;
      const depth = seek(bytes, document, path, depths[field]!);
      next[field] = done;
      if (depth === -1) {
        parts[field] = 'missing';
        missing++;
      } else if (element.type !== bsonType.array) {
        parts[field] = place(bytes);
      } else {
        if (array !== -1 && array !== element.value) return false;
        array = element.value;
        hasArray = true;
        open.push(field);
        next[field] = depth === path.length ? terminal : depth;
      }
    }
    if (array === -1) {
      if (!sparse || missing < paths.length) keys.push(parts);
      return true;
    }
    const after = next.map((depth) => (depth === terminal ? done : depth));
    const enter = (entry: Part, inner: number): boolean => {
      for (const field of open) if (next[field] === terminal) parts[field] = entry;
      return walk(inner, after, parts, missing);
    };
    if (int32At(bytes, array) === emptyLength) return enter('empty', -1);
    const entries = new Elements(bytes, array);
    while (entries.next()) {
      const { type, value, start, end } = entries;
      if (!enter({ bytes, type, value, start, end }, type === bsonType.object ? value : -1)) return false;
    }
    return true;
  };
  const isWhole = walk(
    at,
    paths.map(() => 0),
    [],
    0,
  );
  if (isPositional && hasArray) return 'unknown';
  return isWhole ? keys : 'parallel';
}

/** Whether there is an array on the path of a field. */
export function hasArray({ paths }: PlainIndex, bytes: Uint8Array): boolean {
  return paths.some((path) => seek(bytes, 0, path, 0) !== -1 && element.type === bsonType.array);
}

/** Returns a text that is the same for two keys if, and only if, they are equal. */
export function textOf(parts: Parts, textOfPlace: (place: Place) => string = plainText): string {
  if (parts.length === 1) return partText(parts[0]!, textOfPlace);
  let text = '';
  for (const part of parts) {
    const one = partText(part, textOfPlace);
    text += `${one.length}:${one}`;
  }
  return text;
}

function partText(part: Part, textOfPlace: (place: Place) => string): string {
  if (part === 'missing') return nullText;
  return part === 'empty' ? undefinedText : textOfPlace(part);
}

function plainText({ bytes, type, value, end }: Place): string {
  return keyText(bytes, type, value, end);
}

const nullText = `${bsonType.null}:`;
/** An empty array has the key of the obsolete type undefined. */
const undefinedText = `${bsonType.undefined}:`;
const emptyLength = 5;

/** Marks of a field in place of a depth. `terminal`: the path ends at an array. */
const done = -1;
const terminal = -2;

const element = new Elements(Buffer.alloc(5), 0);

function place(bytes: Uint8Array): Place {
  const { type, value, start, end } = element;
  return { bytes, type, value, start, end };
}

/** Moves `element` to the value at the path, or to the first array on it. Returns the depth it reached, or -1. */
function seek(bytes: Uint8Array, document: number, path: readonly Uint8Array[], from: number): number {
  if (document === -1) return -1;
  element.reset(bytes, document);
  for (let depth = from; depth < path.length; depth++) {
    if (!element.find(path[depth]!)) return -1;
    if (element.type === bsonType.array || depth === path.length - 1) return depth + 1;
    if (element.type !== bsonType.object) return -1;
    element.reset(bytes, element.value);
  }
  return -1;
}
