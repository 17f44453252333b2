/**
 * Keys in URLs. A URL holds text, and the keys of a feed may be numbers: `7` and `"7"` are two documents. A number is
 * written as it is, a text as it is unless it would be read as something else: then in quotes, as JSON has it.
 */
import { BSON } from 'mongodb';

const { EJSON } = BSON;

/** For `after`; {@link decodeKey} gives the key back. */
export function encodeKey(key: unknown): string {
  if (typeof key === 'string') return decodeKey(key) === key ? key : JSON.stringify(key);
  return typeof key === 'number' || typeof key === 'boolean' ? String(key) : EJSON.stringify(key, { relaxed: false });
}

/** A text that cannot be read as anything else is a text. */
export function decodeKey(text: string): unknown {
  const plain = plainKey(text);
  if (plain !== undefined) return plain;
  if (!/^["{]/.test(text)) return text;
  try {
    return EJSON.parse(text, { relaxed: false }) as unknown;
  } catch {
    return text;
  }
}

/** What a key in a path may mean: the text itself, or what it stands for. */
export function keysFromPath(text: string): unknown[] {
  const key = decodeKey(text);
  return key === text ? [text] : [text, key];
}

function plainKey(text: string): number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return String(number) === text ? number : undefined;
}
