/**
 * Indexes with a collation, where strings that differ may be equal. MongoDB decides that; it compares only the items
 * whose strings are similar. The similarity is wider than the rules of any locale, but for a few: two strings that are
 * equal in a locale and not similar here, such as a contraction of its alphabet, are left to the write.
 */
import { ObjectId, type CollationOptions } from 'mongodb';
import { driverDocument, driverValue } from '../bson/driver-value.ts';
import { bsonType, Elements, type Place } from '../bson/elements.ts';
import { keyText } from '../bson/keys.ts';
import { askAbout, type Asking } from '../database/given-documents.ts';
import type { Part, Parts } from './plain-index.ts';

/** Similar values have the same text. */
export function similarText({ bytes, type, value, end }: Place): string {
  if (type === bsonType.string || type === bsonType.symbol) return `s${fold(utf8(bytes, value + 4, end - 1))}`;
  if (type !== bsonType.object && type !== bsonType.array) return keyText(bytes, type, value, end);
  let text = type === bsonType.object ? 'o' : 'a';
  const elements = new Elements(bytes, value);
  while (elements.next()) {
    const member = similarText(elements);
    text += `${utf8(bytes, elements.name, elements.nameEnd)}\0${member.length}:${member}`;
  }
  return text;
}

/** Ignores whatever some collation ignores: case, accents, width, punctuation, leading zeros. */
export function fold(text: string): string {
  const letters = text
    .normalize('NFKD')
    .toUpperCase() // ß is SS
    .toLowerCase()
    .replace(/[\p{M}\p{P}\p{S}\p{Z}\p{C}]/gu, '')
    .replace(/[æœøđłıſ\u3041-\u3096]/g, (letter) => alike[letter] ?? katakana(letter))
    .replace(/0+(?=\d)/g, '');
  return Buffer.from(letters).toString('latin1');
}

const alike: Readonly<Record<string, string>> = { æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ł: 'l', ı: 'i', ſ: 's' };

function katakana(hiragana: string): string {
  return String.fromCodePoint(hiragana.codePointAt(0)! + 0x60);
}

function utf8(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}

/** Documents with similar keys: items by their number, and documents outside the scope by numbers below zero. */
export interface Similar {
  readonly numbers: readonly number[];
  /** Returns the similar keys of one of them, valid until the next call. */
  readonly keysOf: (number: number) => readonly Parts[];
}

/** If more documents are similar, only these are compared with each other. */
const mostAtOnce = 2000;
const bytesAtOnce = 4 * 1024 * 1024;

interface EqualKeysOptions extends Asking {
  readonly collation: CollationOptions;
  readonly similar: Iterable<Similar>;
}

/**
 * Returns, for each document, a name of each key that another one has as well. Returns null if MongoDB cannot answer
 * (before 5.1) or may not.
 */
export async function equalKeys({
  similar,
  ...asking
}: EqualKeysOptions): Promise<ReadonlyMap<number, string[]> | null> {
  const equal = new Map<number, string[]>();
  let name = 0;
  for (const documents of batchesOf(similar)) {
    const stages = [
      { $group: { _id: '$key', numbers: { $addToSet: '$number' } } },
      { $match: { 'numbers.1': { $exists: true } } },
      { $project: { _id: 0 } },
    ];
    const isAnswered = await askAbout(asking, documents, stages, (bytes, at) => {
      const key = String(name++);
      for (const number of (driverDocument(bytes, at).get('numbers') as object[]).map(Number)) {
        const keys = equal.get(number);
        if (keys) keys.push(key);
        else equal.set(number, [key]);
      }
    });
    if (!isAnswered) return null;
  }
  return equal;
}

interface KeyDocument {
  readonly number: number;
  readonly key: ReadonlyMap<string, unknown>;
}

/** Documents with similar keys are in one batch. */
function* batchesOf(similar: Iterable<Similar>): Generator<KeyDocument[]> {
  let batch: KeyDocument[] = [];
  let bytes = 0;
  for (const { numbers, keysOf } of similar) {
    for (const number of numbers.slice(0, mostAtOnce)) {
      for (const parts of keysOf(number)) {
        batch.push({ number, key: new Map(parts.map((part, i) => [String(i), valueOf(part)])) });
        bytes += parts.reduce((sum, part) => sum + sizeOf(part), 100);
      }
      if (bytes > 2 * bytesAtOnce) break;
    }
    if (batch.length < mostAtOnce && bytes < bytesAtOnce) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

function sizeOf(part: Part): number {
  return typeof part === 'string' ? 0 : part.end - part.value;
}

function valueOf(part: Part): unknown {
  if (part === 'missing') return null;
  return part === 'empty' ? emptyArray : driverValue(part);
}

/** Equal to itself only. */
const emptyArray = new ObjectId();
