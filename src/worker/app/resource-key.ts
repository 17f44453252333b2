/** Keys in URLs. A path holds text, and the keys of a feed may be numbers: `7` and `"7"` are two documents. */
import { BSON } from 'mongodb';

const { EJSON } = BSON;

/** An opaque text that stands for a key of any type, for `after`. */
export function encodeKey(key: unknown): string {
  return typeof key === 'string'
    ? `s${key}`
    : `e${Buffer.from(EJSON.stringify({ key }, { relaxed: false })).toString('base64url')}`;
}

/** `undefined` where the text is none of ours. A plain key is taken too, since people write URLs by hand. */
export function decodeKey(text: string): unknown {
  if (text.startsWith('s')) return text.slice(1);
  if (!text.startsWith('e')) return undefined;
  try {
    const parsed: unknown = EJSON.parse(Buffer.from(text.slice(1), 'base64url').toString('utf8'), { relaxed: false });
    return (parsed as { key: unknown }).key;
  } catch {
    return undefined;
  }
}

/** What a key in a path may mean: the text, the number or the boolean that is written so. */
export function keysFromPath(text: string): unknown[] {
  const keys: unknown[] = [text];
  if (/^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i.test(text)) keys.push(Number(text));
  if (text === 'true' || text === 'false') keys.push(text === 'true');
  return keys;
}
