/**
 * Converts MongoDB Extended JSON v2 (https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/): an object
 * such as `{"$date": …}` stands for a value of a type that JSON does not have. The object was read like any other; this
 * file replaces it in place by its value, which never needs more space.
 *
 * The driver's own reader accepts nearly everything: it reads `{"$numberInt": "abc"}` as 0. This reader refuses each
 * value that it cannot keep exactly.
 */
import { bsonType, Elements, int32At } from '../bson/elements.ts';
import { doubleAt, int64At } from '../bson/numbers.ts';
import type { BsonOutput } from '../bson/output.ts';
import { readBase64, readDate, readDecimal, readDouble, readInteger, readRegexOptions } from './extended-values.ts';

/** The members, by name, of an object that was read. `$`-names are ASCII, so latin1 is enough to recognize them. */
class Members {
  readonly #out: BsonOutput;
  readonly #places = new Map<string, { type: number; value: number; end: number }>();

  constructor(out: BsonOutput, start: number) {
    this.#out = out;
    const elements = new Elements(out.bytes, start);
    while (elements.next() && this.#places.size < 4) {
      const { name, nameEnd, type, value, end } = elements;
      this.#places.set(out.bytes.toString('latin1', name, Math.min(nameEnd, name + 24)), { type, value, end });
    }
  }

  /** Whether the object has exactly these members, in any order. */
  are(...names: string[]): boolean {
    return this.#places.size === names.length && names.every((name) => this.#places.has(name));
  }

  areStrings(): boolean {
    return [...this.#places.values()].every(({ type }) => type === bsonType.string);
  }

  string(name: string): string | null {
    const { type, value, end } = this.#places.get(name)!;
    return type === bsonType.string ? this.#out.bytes.toString('utf8', value + 4, end - 1) : null;
  }

  /** Returns a number without a fraction; null for other values. */
  integer(name: string): bigint | null {
    const { type, value } = this.#places.get(name)!;
    const { bytes } = this.#out;
    if (type === bsonType.int32) return BigInt(int32At(bytes, value));
    if (type === bsonType.int64) return int64At(bytes, value);
    if (type !== bsonType.double) return null;
    const double = doubleAt(bytes, value);
    return Number.isSafeInteger(double) ? BigInt(double) : null;
  }

  isTrue(name: string): boolean {
    const { type, value } = this.#places.get(name)!;
    return type === bsonType.boolean && this.#out.bytes[value] === 1;
  }

  /** Returns the bytes of a value of this type; null for another type. */
  bytes(name: string, wanted: number): Buffer | null {
    const { type, value, end } = this.#places.get(name)!;
    return type === wanted ? Buffer.from(this.#out.bytes.subarray(value, end)) : null;
  }

  inner(name: string): Members | null {
    const { type, value } = this.#places.get(name)!;
    return type === bsonType.object ? new Members(this.#out, value) : null;
  }
}

/** Writes the value and returns its BSON type; or writes nothing and returns what is wrong. */
type Reader = (members: Members, out: BsonOutput) => number | string;

const notExact = (form: string): string => `is no ${form}`;

const readers: Readonly<Record<string, Reader>> = {
  $numberInt(members, out) {
    const value = readInteger(members.string('$numberInt'), 32);
    if (value === null) return notExact('integer of 32 bits, written as a string of digits');
    out.int32(Number(value));
    return bsonType.int32;
  },
  $numberLong(members, out) {
    const value = readInteger(members.string('$numberLong'), 64);
    if (value === null) return notExact('integer of 64 bits, written as a string of digits');
    out.int64(value);
    return bsonType.int64;
  },
  $numberDouble(members, out) {
    const value = readDouble(members.string('$numberDouble'));
    if (value === null)
      return notExact('number that a double can hold, written as a string, "Infinity", "-Infinity" or "NaN"');
    out.double(value);
    return bsonType.double;
  },
  $numberDecimal(members, out) {
    const bytes = readDecimal(members.string('$numberDecimal'));
    if (bytes === null) return notExact('decimal of 34 digits, written as a string');
    out.copy(bytes, 0, 16);
    return bsonType.decimal128;
  },
  $oid(members, out) {
    const text = members.string('$oid');
    if (text === null || !/^[\da-f]{24}$/i.test(text)) return notExact('ObjectId of 24 hexadecimal digits');
    out.copy(Buffer.from(text, 'hex'), 0, 12);
    return bsonType.objectId;
  },
  $uuid(members, out) {
    const text = members.string('$uuid');
    if (text === null || !/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text))
      return notExact('UUID such as 00112233-4455-6677-8899-aabbccddeeff');
    return writeBinary(out, Buffer.from(text.replaceAll('-', ''), 'hex'), 4);
  },
  $binary(members, out) {
    const inner = members.inner('$binary');
    if (inner === null || !inner.are('base64', 'subType')) return notExact('{"base64": …, "subType": …}');
    const data = readBase64(inner.string('base64'));
    if (data === null) return 'has a base64 that is none';
    const subType = inner.string('subType');
    if (subType === null || !/^[\da-f]{1,2}$/i.test(subType))
      return 'has a subType that is no number of two hexadecimal digits';
    const number = Number.parseInt(subType, 16);
    if (number === columnSubtype) return 'has the subType 07, which MongoDB keeps for columns of its own';
    return writeBinary(out, data, number);
  },
  $date(members, out) {
    const text = members.string('$date');
    const time = text === null ? members.integer('$date') : readDate(text);
    if (time === null) return notExact('number of milliseconds, nor a time in UTC');
    if (typeof time === 'string') return time;
    out.int64(time);
    return bsonType.date;
  },
  $timestamp(members, out) {
    const inner = members.inner('$timestamp');
    const time = inner?.are('t', 'i') ? inner.integer('t') : null;
    const increment = time === null ? null : inner!.integer('i');
    if (
      time === null ||
      increment === null ||
      BigInt.asUintN(32, time) !== time ||
      BigInt.asUintN(32, increment) !== increment
    )
      return notExact('{"t": …, "i": …} with two whole numbers of 32 bits');
    out.int64(BigInt.asIntN(64, (time << 32n) | increment));
    return bsonType.timestamp;
  },
  $regularExpression(members, out) {
    const inner = members.inner('$regularExpression');
    if (!inner?.are('pattern', 'options')) return notExact('{"pattern": …, "options": …}');
    return writeRegex(out, inner.string('pattern'), inner.string('options'));
  },
  $symbol(members, out) {
    const text = members.string('$symbol');
    if (text === null) return notExact('string');
    writeString(out, text);
    return bsonType.symbol;
  },
  $code(members, out) {
    const code = members.string('$code');
    if (code === null) return notExact('string');
    writeString(out, code);
    return bsonType.code;
  },
  $dbPointer(members, out) {
    const inner = members.inner('$dbPointer');
    const collection = inner?.are('$ref', '$id') ? inner.string('$ref') : null;
    const id = collection === null ? null : inner!.bytes('$id', bsonType.objectId);
    if (collection === null || id === null) return notExact('{"$ref": …, "$id": {"$oid": …}}');
    writeString(out, collection);
    out.copy(id, 0, 12);
    return bsonType.dbPointer;
  },
  $minKey: (members) => (members.integer('$minKey') === 1n ? bsonType.minKey : notExact('1')),
  $maxKey: (members) => (members.integer('$maxKey') === 1n ? bsonType.maxKey : notExact('1')),
  $undefined: (members) => (members.isTrue('$undefined') ? bsonType.undefined : notExact('true')),
};

const scoped: Reader = (members, out) => {
  const code = members.string('$code');
  const scope = members.bytes('$scope', bsonType.object);
  if (code === null || scope === null) return 'is no string with a document as its $scope';
  const length = out.startLength();
  writeString(out, code);
  out.copy(scope, 0, scope.length);
  out.endLength(length);
  return bsonType.codeWithScope;
};

/**
 * The form of mongoexport up to 4.0. With other members, or other values, the object is a condition of a stored query.
 */
const oldRegex: Reader = (members, out) => writeRegex(out, members.string('$regex'), members.string('$options'));

const columnSubtype = 7;
const oldBinarySubtype = 2;
const longestName = '$regularExpression'.length;

function writeBinary(out: BsonOutput, data: Buffer, subType: number): number {
  const isOld = subType === oldBinarySubtype; // its data starts with a second length
  out.int32(data.length + (isOld ? 4 : 0));
  out.byte(subType);
  if (isOld) out.int32(data.length);
  out.copy(data, 0, data.length);
  return bsonType.binary;
}

function writeString(out: BsonOutput, text: string): void {
  const length = out.startLength();
  const bytes = Buffer.from(text);
  out.copy(bytes, 0, bytes.length);
  out.byte(0);
  out.endLength(length, -4);
}

function writeRegex(out: BsonOutput, pattern: string | null, options: string | null): number | string {
  const letters = readRegexOptions(options);
  if (pattern === null || pattern.includes('\0')) return 'has a pattern that is no string without NUL';
  if (letters === null) return 'has options other than i, l, m, s, u and x, once each';
  const bytes = Buffer.from(`${pattern}\0${letters}\0`);
  out.copy(bytes, 0, bytes.length);
  return bsonType.regex;
}

/** Returns the name if it makes its object a value of Extended JSON, else null. */
export function typeNameAt(bytes: Buffer, start: number, end: number): string | null {
  if (end - start > longestName) return null;
  const name = bytes.toString('latin1', start, end);
  return name === '$regex' || Object.hasOwn(readers, name) ? name : null;
}

/**
 * Replaces the object from `start` to the end of the output by the value that it stands for.
 *
 * @param name the object's first name that {@link typeNameAt} knows
 * @returns the BSON type of the value, or what is wrong
 */
export function replaceTyped(out: BsonOutput, start: number, name: string): number | string {
  const members = new Members(out, start);
  const read = readerOf(members, name);
  if (typeof read !== 'function') return read;
  const end = out.at;
  out.at = start;
  const result = read(members, out);
  if (typeof result === 'number') return result;
  out.at = end;
  return `${name} ${result}`;
}

function readerOf(members: Members, name: string): Reader | number | string {
  if (name === '$regex') {
    const isOld = members.are('$regex', '$options') && members.areStrings();
    return isOld ? oldRegex : bsonType.object;
  }
  if (members.are(name)) return readers[name]!;
  if (name === '$code' && members.are('$code', '$scope')) return scoped;
  return `${name} has other members beside it, which would be lost`;
}
