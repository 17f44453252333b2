/** Indexes of special kinds: whether they may refuse an item is known here, and what they refuse is known to MongoDB. */
import type { IndexDescription } from 'mongodb';
import { bsonType, Elements, equalBytes, int32At } from '../bson/elements.ts';
import { doubleAt } from '../bson/numbers.ts';
import { hasArray, plainIndex } from './plain-index.ts';

export type MayRefuse = (document: Uint8Array) => boolean;

/** The kinds of index that can refuse a document; a wildcard index takes any. */
const refusing: ReadonlySet<unknown> = new Set(['2d', '2dsphere', 'text']);

export function kindOf({ key }: IndexDescription): string | null {
  const kind = Object.values(key).find((one) => refusing.has(one));
  return kind === undefined ? null : String(kind);
}

/** Returns null for an index of another kind. */
export function mayRefuse(index: IndexDescription): MayRefuse | null {
  const kind = kindOf(index);
  if (kind === null) return null;
  if (index.unique === true) return () => true;
  if (kind === 'text') {
    const language = Buffer.from(String((index as { language_override?: string }).language_override ?? 'language'));
    const others = Object.entries(index.key).filter(([, one]) => typeof one === 'number');
    const prefix = plainIndex({ key: Object.fromEntries(others) })!;
    return (document) => hasMember(document, 0, language) || hasArray(prefix, document);
  }
  const fields = Object.entries(index.key).filter(([, one]) => refusing.has(one));
  const paths = fields.map(([field]) => field.split('.').map((part) => Buffer.from(part)));
  const isTaken = kind === '2dsphere' ? isPoint : () => false;
  return (document) => paths.some((path) => !isSimplePlace(document, path, isTaken));
}

function hasMember(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  const elements = new Elements(bytes, at);
  while (elements.next()) {
    if (equalBytes(bytes, elements.name, elements.nameEnd, name, 0, name.length)) return true;
    const isNested = elements.type === bsonType.object || elements.type === bsonType.array;
    if (isNested && hasMember(bytes, elements.value, name)) return true;
  }
  return false;
}

/** The place is missing, or null, or `isTaken` says that the index takes it. */
function isSimplePlace(
  bytes: Uint8Array,
  path: readonly Uint8Array[],
  isTaken: (object: Elements) => boolean,
): boolean {
  const element = new Elements(bytes, 0);
  for (const [depth, name] of path.entries()) {
    if (!element.find(name)) return true;
    if (depth === path.length - 1 && element.type === bsonType.null) return true;
    if (element.type !== bsonType.object) return false;
    element.reset(bytes, element.value);
  }
  return isTaken(element);
}

/** Whether these are the elements of a GeoJSON point in range. */
function isPoint(element: Elements): boolean {
  const { bytes } = element;
  if (!element.next() || !isMember(element, typeName, bsonType.string)) return false;
  if (Buffer.from(bytes.subarray(element.value + 4, element.end - 1)).toString() !== 'Point') return false;
  if (!element.next() || !isMember(element, coordinatesName, bsonType.array)) return false;
  const pair = new Elements(bytes, element.value);
  const isWithin = [180, 90].every((most) => pair.next() && Math.abs(numberOf(pair)) <= most);
  return isWithin && !pair.next() && !element.next();
}

const typeName = Buffer.from('type');
const coordinatesName = Buffer.from('coordinates');

function numberOf({ bytes, type, value }: Elements): number {
  if (type === bsonType.int32) return int32At(bytes, value);
  return type === bsonType.double ? doubleAt(bytes, value) : Number.NaN;
}

function isMember({ bytes, name, nameEnd, type }: Elements, wanted: Uint8Array, wantedType: number): boolean {
  return type === wantedType && equalBytes(bytes, name, nameEnd, wanted, 0, wanted.length);
}
