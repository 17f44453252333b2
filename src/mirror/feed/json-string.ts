/** Copies JSON strings, RFC 8259 section 7, as UTF-8. */
import type { BsonOutput } from '../bson/output.ts';
import { showByte, type JsonText } from './json-text.ts';

const quote = 0x22;
const backslash = 0x5c;
const plain: Record<number, number> = {
  0x22: 0x22,
  0x5c: 0x5c,
  0x2f: 0x2f,
  0x62: 8,
  0x66: 12,
  0x6e: 10,
  0x72: 13,
  0x74: 9,
};

/** Reads from after the opening quote to after the closing quote. The caller has checked that the text is UTF-8. */
export function copyString(text: JsonText, out: BsonOutput): void {
  const { bytes, end } = text;
  let pos = text.pos;
  for (;;) {
    const start = pos;
    let byte = 0;
    while (pos < end && (byte = bytes[pos]!) !== quote && byte !== backslash && byte >= 0x20) pos++;
    out.copy(bytes, start, pos);
    if (pos >= end) text.malformed('a string that does not end', text.pos - 1);
    if (byte === quote) {
      text.pos = pos + 1;
      return;
    }
    if (byte !== backslash) text.malformed(`a control character (${showByte(byte)}) in a string`, pos);
    pos = copyEscape(text, out, pos + 1);
  }
}

/** Reads from after a backslash; returns where the escape ends. */
function copyEscape(text: JsonText, out: BsonOutput, at: number): number {
  const letter = text.bytes[at] ?? 0;
  const byte = plain[letter];
  if (byte !== undefined && at < text.end) {
    out.byte(byte);
    return at + 1;
  }
  if (letter !== 0x75) text.malformed('an unknown escape', at - 1);
  let point = unitAt(text, at + 1);
  let pos = at + 5;
  if (point >= 0xd800 && point < 0xdc00) {
    const low =
      pos + 6 <= text.end && text.bytes[pos] === backslash && text.bytes[pos + 1] === 0x75 ? unitAt(text, pos + 2) : 0;
    if (low >= 0xdc00 && low < 0xe000) {
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
      pos += 6;
    }
  }
  if (point >= 0xd800 && point < 0xe000) {
    text.refuse(`half a surrogate pair (\\u${point.toString(16)}), which UTF-8 cannot hold`);
  }
  copyCodePoint(out, point);
  return pos;
}

function unitAt(text: JsonText, at: number): number {
  let unit = 0;
  for (let i = at; i < at + 4; i++) {
    const byte = i < text.end ? text.bytes[i]! : 0;
    const digit =
      byte >= 0x30 && byte <= 0x39
        ? byte - 0x30
        : (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66
          ? (byte | 0x20) - 0x57
          : -1;
    if (digit < 0) text.malformed('an unknown escape', at - 2);
    unit = unit * 16 + digit;
  }
  return unit;
}

function copyCodePoint(out: BsonOutput, point: number): void {
  out.ensure(4);
  const { bytes } = out;
  if (point < 0x80) {
    bytes[out.at++] = point;
  } else if (point < 0x800) {
    bytes[out.at++] = 0xc0 | (point >> 6);
    bytes[out.at++] = 0x80 | (point & 0x3f);
  } else if (point < 0x10000) {
    bytes[out.at++] = 0xe0 | (point >> 12);
    bytes[out.at++] = 0x80 | ((point >> 6) & 0x3f);
    bytes[out.at++] = 0x80 | (point & 0x3f);
  } else {
    bytes[out.at++] = 0xf0 | (point >> 18);
    bytes[out.at++] = 0x80 | ((point >> 12) & 0x3f);
    bytes[out.at++] = 0x80 | ((point >> 6) & 0x3f);
    bytes[out.at++] = 0x80 | (point & 0x3f);
  }
}
