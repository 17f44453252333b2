/**
 * Compares and hashes keys (`_id`s) as MongoDB does under its simple collation: `1` and `1.0` are the same key, `1` and
 * `'1'` are not; objects are equal if their members are equal and in the same order.
 */
import { bsonType, Elements, equalBytes } from './elements.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { isNumber, numberText, safeIntegerAt } from './numbers.ts';
import { valueToJson } from './to-json.ts';
import { shortened } from '../../shortened.ts';

/** Equal keys have equal hashes. */
export function hashKey(hash: KeyedHash, bytes: Uint8Array, type: number, value: number, end: number): number {
  if (type === bsonType.string || type === bsonType.symbol) return hash.hash(bytes, value + 4, end - 1);
  const integer = safeIntegerAt(bytes, type, value);
  if (!Number.isNaN(integer)) {
    writeInt32(integer | 0, 0);
    writeInt32(Math.floor(integer / 4294967296), 4);
    return hash.hash(eight, 0, 8);
  }
  const text = Buffer.from(keyText(bytes, type, value, end), 'latin1');
  return hash.hash(text, 0, text.length);
}

const eight = new Uint8Array(8);

function writeInt32(value: number, at: number): void {
  eight[at] = value;
  eight[at + 1] = value >> 8;
  eight[at + 2] = value >> 16;
  eight[at + 3] = value >> 24;
}

export function equalKeys(
  a: Uint8Array,
  aType: number,
  aValue: number,
  aEnd: number,
  b: Uint8Array,
  bType: number,
  bValue: number,
  bEnd: number,
): boolean {
  if (aType === bType && equalBytes(a, aValue, aEnd, b, bValue, bEnd)) return true;
  if (aType === bType && (aType === bsonType.string || aType === bsonType.int32 || aType === bsonType.objectId))
    return false;
  return keyText(a, aType, aValue, aEnd) === keyText(b, bType, bValue, bEnd);
}

/** Returns a text that is the same for two values if, and only if, MongoDB treats them as equal keys. */
export function keyText(bytes: Uint8Array, type: number, value: number, end: number): string {
  if (isNumber(type)) return `n${numberText(bytes, type, value)}`;
  if (type === bsonType.string || type === bsonType.symbol) return `s${latin1(bytes, value + 4, end - 1)}`;
  if (type === bsonType.object || type === bsonType.array) {
    let text = type === bsonType.object ? 'o' : 'a';
    const elements = new Elements(bytes, value);
    while (elements.next()) {
      const member = keyText(bytes, elements.type, elements.value, elements.end);
      text += `${latin1(bytes, elements.name, elements.nameEnd)}\0${member.length}:${member}`;
    }
    return text;
  }
  return `${type}:${latin1(bytes, value, end)}`;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** The longest key in a message, characters. */
const longestShown = 200;

/** Formats the key for a reader, cut to a readable length. */
export function showKey(bytes: Uint8Array, type: number, value: number, end: number): string {
  if (type !== bsonType.string) return shortened(valueToJson(bytes, type, value, end), longestShown);
  // A character has four bytes at most.
  const cut = Math.min(end - 1, value + 4 + 4 * longestShown);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + value + 4, cut - value - 4).toString('utf8');
  return JSON.stringify(shortened(text, longestShown));
}
