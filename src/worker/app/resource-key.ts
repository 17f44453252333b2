/**
 * Keys in URLs. A URL holds text, and the keys of a feed may be numbers: `7` and `"7"` are two documents. A number is
 * written as it is. A text is written as it is, unless it would be read as another type: then it is quoted, as in JSON.
 * Types that JSON lacks are written as Extended JSON.
 */
import { BSON } from 'mongodb';
import { driverValue } from '../../mirror/bson/driver-value.ts';
import { bsonType, Elements } from '../../mirror/bson/elements.ts';
import { BsonOutput } from '../../mirror/bson/output.ts';
import { valueToJson } from '../../mirror/bson/to-json.ts';
import { JsonText } from '../../mirror/feed/json-text.ts';
import { JsonToBson } from '../../mirror/feed/json-to-bson.ts';

/** Writes the element's value as a key for `after`; {@link decodeKey} reads it back. */
export function encodeKey({ bytes, type, value, end }: Elements): string {
  const json = valueToJson(bytes, type, value, end, true);
  if (type !== bsonType.string) return json;
  const text = JSON.parse(json) as string;
  return decodeKey(text) === text ? text : json;
}

/** Reads a key as a value of the driver. A text that cannot be read as another type stays a text. */
export function decodeKey(text: string): unknown {
  const plain = plainKey(text);
  if (plain !== undefined) return plain;
  return /^["{]/.test(text) ? (readJson(text) ?? text) : text;
}

/** The values that a key in a path may mean: the text itself, or the value that it stands for. */
export function keysFromPath(text: string): unknown[] {
  const key = decodeKey(text);
  if (key === text) return [text];
  // The shortest digits of a double may also be those of another integer.
  return key instanceof BSON.Long && String(Number(text)) === text ? [text, key, Number(text)] : [text, key];
}

function plainKey(text: string): number | boolean | BSON.Long | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  if (/^-?(0|[1-9]\d{0,18})$/.test(text) && !Number.isSafeInteger(number)) {
    const exact = BigInt(text);
    if (BigInt.asIntN(64, exact) === exact) return BSON.Long.fromBigInt(exact);
  }
  return String(number) === text || text === '-0' ? number : undefined;
}

/** Undefined if the text is not JSON, or not a possible key. */
function readJson(text: string): unknown {
  const json = new JsonText();
  json.bytes = Buffer.from(text);
  json.end = json.bytes.length;
  const converter = new JsonToBson(new BsonOutput(), true);
  try {
    const type = converter.convert(json);
    const { bytes, at } = converter.out;
    const element = new Elements(Buffer.concat([Buffer.from([0, 0, 0, 0, type, 0]), bytes.subarray(0, at)]), 0);
    element.next();
    return driverValue(element);
  } catch {
    return undefined;
  }
}
