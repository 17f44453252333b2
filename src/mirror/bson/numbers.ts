/** Reads the numeric types of BSON and compares them as MongoDB does: by value, across types. */
import { BSON } from 'mongodb';
import { bsonType, int32At } from './elements.ts';

export function isNumber(type: number): boolean {
  return type === bsonType.int32 || type === bsonType.double || type === bsonType.int64 || type === bsonType.decimal128;
}

const view = new DataView(new ArrayBuffer(8));

export function doubleAt(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) view.setUint8(i, bytes[at + i]!);
  return view.getFloat64(0, true);
}

export function int64At(bytes: Uint8Array, at: number): bigint {
  return (BigInt(int32At(bytes, at + 4)) << 32n) | BigInt(int32At(bytes, at) >>> 0);
}

/**
 * Returns the number if it is an integer that a double holds exactly, else NaN. Returns 0 for -0.
 */
export function safeIntegerAt(bytes: Uint8Array, type: number, at: number): number {
  if (type === bsonType.int32) return int32At(bytes, at);
  if (type === bsonType.double) {
    const value = doubleAt(bytes, at);
    return Number.isSafeInteger(value) ? value + 0 : Number.NaN;
  }
  if (type === bsonType.int64) {
    const value = int32At(bytes, at + 4) * 4294967296 + (int32At(bytes, at) >>> 0);
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }
  if (type === bsonType.decimal128) {
    const [coefficient = '', exponent = ''] = decimalText(decimalAt(bytes, at)).split('e');
    const value = Number(exponent) >= 0 ? Number(`${coefficient}e${exponent}`) : Number.NaN;
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }
  return Number.NaN;
}

function decimalAt(bytes: Uint8Array, at: number): string {
  return new BSON.Decimal128(Uint8Array.prototype.slice.call(bytes, at, at + 16)).toString();
}

/** Returns a text, such as `-15e-1`, that is the same for two numbers if, and only if, MongoDB treats them as equal. */
export function numberText(bytes: Uint8Array, type: number, at: number): string {
  switch (type) {
    case bsonType.int32:
      return scaled(BigInt(int32At(bytes, at)), 0);
    case bsonType.int64:
      return scaled(int64At(bytes, at), 0);
    case bsonType.double:
      return doubleText(doubleAt(bytes, at));
    default:
      return decimalText(decimalAt(bytes, at));
  }
}

/** A double is m × 2^e; for e < 0 this is exactly m × 5^-e × 10^e. */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  let mantissa = value;
  let exponent = 0;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent++;
  }
  return scaled(BigInt(mantissa) * 5n ** BigInt(exponent), -exponent);
}

function decimalText(text: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/i.exec(text);
  if (!parts) return text; // NaN, Infinity, -Infinity
  const [, sign, whole, fraction = '', exponent = '0'] = parts;
  const digits = BigInt(`${whole}${fraction}`);
  return scaled(sign === '-' ? -digits : digits, Number(exponent) - fraction.length);
}

/** Formats `coefficient × 10^exponent` without zeros at the end of the coefficient. */
function scaled(coefficient: bigint, exponent: number): string {
  if (coefficient === 0n) return '0e0';
  const digits = coefficient.toString();
  const trimmed = digits.replace(/(?<!0)0+$/, '');
  return `${trimmed}e${exponent + digits.length - trimmed.length}`;
}
