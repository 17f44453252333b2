/**
 * Turns JSON numbers, RFC 8259 section 6, into BSON, as the driver does for the same number in JavaScript: int32 if it
 * fits, else double. An integer that a double would change becomes an int64, so that no integer changes.
 * In Extended JSON, the notation decides the type: a number with a fraction or an exponent is a double, an integer has
 * the smallest integer type that holds it.
 */
import { bsonType } from '../bson/elements.ts';
import type { BsonOutput } from '../bson/output.ts';
import type { JsonText } from './json-text.ts';
import { shortened } from '../../shortened.ts';

const zero = 0x30;
const nine = 0x39;

/** The longest number in a message, characters. */
const longest = 40;

/** Reads one number, writes its value and returns its BSON type. */
export function copyNumber(text: JsonText, out: BsonOutput, extended: boolean): number {
  const { bytes, end } = text;
  const start = text.pos;
  let pos = start;
  const negative = bytes[pos] === 0x2d;
  if (negative) pos++;
  const digits = pos;
  let value = 0;
  let byte = 0;
  while (pos < end && (byte = bytes[pos]!) >= zero && byte <= nine) {
    value = value * 10 + (byte - zero);
    pos++;
  }
  if (pos === digits) withoutDigits(text, start);
  if (bytes[digits] === zero && pos > digits + 1) text.malformed('a number with a leading zero', start);
  const integer = pos;
  if (pos < end && bytes[pos] === 0x2e) pos = skipDigits(text, pos + 1, start);
  if (pos < end && (bytes[pos]! | 0x20) === 0x65) {
    pos++;
    if (pos < end && (bytes[pos] === 0x2b || bytes[pos] === 0x2d)) pos++;
    pos = skipDigits(text, pos, start);
  }
  text.pos = pos;
  const isInteger = pos === integer;
  if (isInteger && integer - digits <= (extended ? 9 : 15)) return copyDouble(out, negative ? -value : value);
  const written = Buffer.from(bytes.buffer, bytes.byteOffset + start, pos - start).toString('latin1');
  return extended ? copyExtended(text, out, written, isInteger) : copyLong(text, out, written, isInteger);
}

function skipDigits(text: JsonText, at: number, start: number): number {
  let pos = at;
  while (pos < text.end && text.bytes[pos]! >= zero && text.bytes[pos]! <= nine) pos++;
  if (pos === at) withoutDigits(text, start);
  return pos;
}

function withoutDigits(text: JsonText, start: number): never {
  text.malformed('a number without digits', start);
}

function copyDouble(out: BsonOutput, value: number): number {
  if ((value | 0) === value && !Object.is(value, -0)) {
    out.int32(value);
    return bsonType.int32;
  }
  out.double(value);
  return bsonType.double;
}

function copyLong(text: JsonText, out: BsonOutput, digits: string, integer: boolean): number {
  const value = finite(text, digits);
  // A sender of doubles writes the shortest digits that identify the double: such digits are exact.
  if (!integer || Number.isSafeInteger(value) || String(value) === digits) return copyDouble(out, value);
  // A number of more than 19 digits is never an int64, and parsing a BigInt of millions of digits takes too long.
  const exact = digits.length > 20 ? null : BigInt(digits);
  if (exact !== null && BigInt.asIntN(64, exact) === exact) {
    out.int64(exact);
    return bsonType.int64;
  }
  if (exact !== null && exact === BigInt(value)) return copyDouble(out, value);
  return text.refuse(`the integer ${shortened(digits, longest)} would lose precision; send it as a string`);
}

function copyExtended(text: JsonText, out: BsonOutput, written: string, integer: boolean): number {
  const exact = integer && written.length <= 20 ? BigInt(written) : null;
  if (exact !== null && BigInt.asIntN(32, exact) === exact) return copyDouble(out, Number(exact));
  if (exact !== null && BigInt.asIntN(64, exact) === exact) {
    out.int64(exact);
    return bsonType.int64;
  }
  if (integer) return copyLong(text, out, written, integer);
  out.double(finite(text, written));
  return bsonType.double;
}

function finite(text: JsonText, written: string): number {
  const value = Number(written);
  return Number.isFinite(value)
    ? value
    : text.refuse(`the number ${shortened(written, longest)} is larger than a double can be`);
}
