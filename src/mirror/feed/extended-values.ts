/** Reads the texts of Extended JSON; returns null for a text without an exact value. */
import { BSON } from 'mongodb';

export function readInteger(text: string | null, bits: 32 | 64): bigint | null {
  // Parsing a BigInt of millions of digits takes too long.
  if (text === null || text.length > 20 || !/^-?\d+$/.test(text)) return null;
  const value = BigInt(text);
  return BigInt.asIntN(bits, value) === value ? value : null;
}

const wordsOfDouble: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };

export function readDouble(text: string | null): number | null {
  if (text === null) return null;
  if (Object.hasOwn(wordsOfDouble, text)) return wordsOfDouble[text]!;
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/**
 * Longer than any decimal, to allow zeros at both ends. A limit: the driver's regular expression is slow on long texts.
 */
const longestDecimal = 2_000;

export function readDecimal(text: string | null): Uint8Array | null {
  if (text === null || text.length > longestDecimal) return null;
  try {
    return BSON.Decimal128.fromString(text).bytes;
  } catch {
    return null;
  }
}

/** Reads base64 of RFC 4648, section 4, with padding; returns null for any missing or extra character. */
export function readBase64(text: string | null): Buffer | null {
  if (text === null) return null;
  const data = Buffer.from(text, 'base64');
  return data.toString('base64') === text ? data : null;
}

/** Returns the options in the order that BSON requires; null if they are not valid. */
export function readRegexOptions(text: string | null): string | null {
  if (text === null || !/^[ilmsux]{0,6}$/.test(text) || new Set(text).size !== text.length) return null;
  return text.split('').toSorted().join('');
}

const time = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|([+-])(\d\d):?(\d\d))?$/i;

/** Reads a time of RFC 3339, section 5.6. Returns milliseconds since 1970, or what is wrong. */
export function readDate(text: string): bigint | string {
  const parts = time.exec(text);
  if (!parts) return 'is no time as RFC 3339 writes it, such as 2026-11-28T03:15:00Z';
  const [, day = '', hour = '', minute = '', second = '', fraction = '', zone, sign, zoneHour = '0', zoneMinute = '0'] =
    parts;
  if (zone === undefined) return 'has no time zone: end it with Z, or with an offset such as +01:00';
  if (/[1-9]/.test(fraction.slice(3))) return 'is more precise than the millisecond that MongoDB keeps';
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // V8 reads 30 February as 2 March.
  const isDay = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day);
  if (!isDay || +hour > 23 || +minute > 59 || +second > 59 || +zoneHour > 23 || +zoneMinute > 59)
    return 'is a time that there is not';
  const offset = (+zoneHour * 60 + +zoneMinute) * (sign === '-' ? -1 : 1);
  const ms = ((+hour * 60 + +minute - offset) * 60 + +second) * 1000 + +fraction.slice(0, 3).padEnd(3, '0');
  return BigInt(midnight + ms);
}
