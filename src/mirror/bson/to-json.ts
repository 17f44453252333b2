/**
 * Turns BSON into JSON text, byte by byte. No object is built, so members keep their order, 64-bit integers keep their
 * digits, and names such as `_bsontype` or `__proto__` have no special meaning. Types that JSON does not have are
 * written as relaxed Extended JSON v2, which a feed with `extendedJson` accepts.
 */
import { BSON } from 'mongodb';
import { bsonType, Elements, int32At, nameEnd } from './elements.ts';
import { doubleAt, int64At } from './numbers.ts';

/** Converts the document that starts at `at`. `exact` as in {@link valueToJson}. */
export function documentToJson(bytes: Uint8Array, at: number, exact = false): string {
  const elements = new Elements(bytes, at);
  let text = '';
  while (elements.next()) text += `${text === '' ? '' : ','}${memberToJson(elements, exact)}`;
  return `{${text}}`;
}

/** `"name":value` */
export function memberToJson({ bytes, name, nameEnd: nameAt, type, value, end }: Elements, exact = false): string {
  return `${JSON.stringify(utf8(bytes, name, nameAt))}:${valueToJson(bytes, type, value, end, exact)}`;
}

/**
 * `exact`: a reader of Extended JSON gets the same value back. Otherwise a double is written with its shortest digits,
 * such as 505874924095815700, which may also be the digits of a different 64-bit integer.
 */
export function valueToJson(bytes: Uint8Array, type: number, at: number, end: number, exact = false): string {
  switch (type) {
    case bsonType.string:
      return JSON.stringify(utf8(bytes, at + 4, end - 1));
    case bsonType.int32:
      return String(int32At(bytes, at));
    case bsonType.int64:
      return String(int64At(bytes, at));
    case bsonType.double:
      return doubleToJson(doubleAt(bytes, at), exact);
    case bsonType.boolean:
      return bytes[at] === 0 ? 'false' : 'true';
    case bsonType.null:
      return 'null';
    case bsonType.object:
      return documentToJson(bytes, at, exact);
    case bsonType.array:
      return arrayToJson(bytes, at, exact);
    default:
      return typedToJson(bytes, type, at, end);
  }
}

function arrayToJson(bytes: Uint8Array, at: number, exact: boolean): string {
  const elements = new Elements(bytes, at);
  const items: string[] = [];
  while (elements.next()) items.push(valueToJson(bytes, elements.type, elements.value, elements.end, exact));
  return `[${items.join(',')}]`;
}

function doubleToJson(value: number, exact: boolean): string {
  const isAmbiguous = exact && Number.isInteger(value) && !Number.isSafeInteger(value);
  if (isAmbiguous || !Number.isFinite(value)) return typed('$numberDouble', JSON.stringify(String(value)));
  return Object.is(value, -0) ? '-0' : String(value);
}

function typedToJson(bytes: Uint8Array, type: number, at: number, end: number): string {
  switch (type) {
    case bsonType.objectId:
      return typed('$oid', quoted(hex(bytes, at, end)));
    case bsonType.date:
      return typed('$date', dateToJson(int64At(bytes, at)));
    case bsonType.binary:
      return typed('$binary', binaryToJson(bytes, at, end));
    case bsonType.decimal128:
      return typed(
        '$numberDecimal',
        quoted(new BSON.Decimal128(Uint8Array.prototype.slice.call(bytes, at, end)).toString()),
      );
    case bsonType.timestamp:
      return typed('$timestamp', `{"t":${int32At(bytes, at + 4) >>> 0},"i":${int32At(bytes, at) >>> 0}}`);
    case bsonType.regex: {
      const middle = nameEnd(bytes, at);
      const options = utf8(bytes, middle + 1, end - 1);
      return typed(
        '$regularExpression',
        `{"pattern":${JSON.stringify(utf8(bytes, at, middle))},"options":${quoted(options)}}`,
      );
    }
    case bsonType.symbol:
      return typed('$symbol', JSON.stringify(utf8(bytes, at + 4, end - 1)));
    case bsonType.code:
      return typed('$code', JSON.stringify(utf8(bytes, at + 4, end - 1)));
    case bsonType.codeWithScope: {
      const scope = at + 8 + int32At(bytes, at + 4);
      return `{"$code":${JSON.stringify(utf8(bytes, at + 8, scope - 1))},"$scope":${documentToJson(bytes, scope)}}`;
    }
    case bsonType.dbPointer: {
      const ref = JSON.stringify(utf8(bytes, at + 4, end - 13));
      return typed('$dbPointer', `{"$ref":${ref},"$id":${typed('$oid', quoted(hex(bytes, end - 12, end)))}}`);
    }
    case bsonType.minKey:
      return typed('$minKey', '1');
    case bsonType.maxKey:
      return typed('$maxKey', '1');
    case bsonType.undefined:
      return typed('$undefined', 'true');
    default:
      throw new RangeError(`not a BSON type: 0x${type.toString(16)}`);
  }
}

/** The last date that Extended JSON writes in the form of RFC 3339; later years do not fit it. */
const lastReadable = BigInt(Date.parse('9999-12-31T23:59:59.999Z'));

function dateToJson(ms: bigint): string {
  if (ms < 0n || ms > lastReadable) return typed('$numberLong', quoted(String(ms)));
  return quoted(new Date(Number(ms)).toISOString().replace('.000Z', 'Z'));
}

function binaryToJson(bytes: Uint8Array, at: number, end: number): string {
  const subType = bytes[at + 4]!;
  const isOld = subType === 2; // its data starts with a second length
  const data = buffer(bytes, isOld ? Math.min(at + 9, end) : at + 5, end).toString('base64');
  return `{"base64":"${data}","subType":"${subType.toString(16).padStart(2, '0')}"}`;
}

function typed(name: string, value: string): string {
  return `{"${name}":${value}}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function utf8(bytes: Uint8Array, start: number, end: number): string {
  return buffer(bytes, start, end).toString('utf8');
}

function hex(bytes: Uint8Array, start: number, end: number): string {
  return buffer(bytes, start, end).toString('hex');
}

function buffer(bytes: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
}
