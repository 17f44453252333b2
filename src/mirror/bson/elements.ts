/** Walks BSON in place, without creating objects. https://bsonspec.org/spec.html */

/** The element types by their byte. */
export const bsonType = {
  double: 0x01,
  string: 0x02,
  object: 0x03,
  array: 0x04,
  binary: 0x05,
  undefined: 0x06,
  objectId: 0x07,
  boolean: 0x08,
  date: 0x09,
  null: 0x0a,
  regex: 0x0b,
  dbPointer: 0x0c,
  code: 0x0d,
  symbol: 0x0e,
  codeWithScope: 0x0f,
  int32: 0x10,
  timestamp: 0x11,
  int64: 0x12,
  decimal128: 0x13,
  minKey: 0xff,
  maxKey: 0x7f,
} as const;

export function int32At(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Returns the position of the zero byte that ends the name at `at`. */
export function nameEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  while (bytes[end] !== 0) end++;
  return end;
}

/**
 * Returns where the value that starts at `at` ends.
 *
 * @throws RangeError for an unknown type: the bytes are not BSON
 */
export function valueEnd(bytes: Uint8Array, type: number, at: number): number {
  switch (type) {
    case bsonType.string:
    case bsonType.code:
    case bsonType.symbol:
      return at + 4 + int32At(bytes, at);
    case bsonType.int32:
      return at + 4;
    case bsonType.double:
    case bsonType.date:
    case bsonType.timestamp:
    case bsonType.int64:
      return at + 8;
    case bsonType.object:
    case bsonType.array:
    case bsonType.codeWithScope:
      return at + int32At(bytes, at);
    case bsonType.boolean:
      return at + 1;
    case bsonType.null:
    case bsonType.undefined:
    case bsonType.minKey:
    case bsonType.maxKey:
      return at;
    case bsonType.objectId:
      return at + 12;
    case bsonType.binary:
      return at + 5 + int32At(bytes, at);
    case bsonType.decimal128:
      return at + 16;
    case bsonType.dbPointer:
      return at + 4 + int32At(bytes, at) + 12;
    case bsonType.regex:
      return nameEnd(bytes, nameEnd(bytes, at) + 1) + 1;
    default:
      throw new RangeError(`not a BSON type: 0x${type.toString(16)}`);
  }
}

/** Where an element lies. */
export interface Place {
  readonly bytes: Uint8Array;
  readonly type: number;
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/**
 * A cursor over the elements of one document or array; `next()` moves it. It is one object for a whole document, and
 * its fields are plain numbers, so a scan allocates almost nothing.
 */
export class Elements implements Place {
  bytes: Uint8Array;
  type = 0;
  /** Where the element starts, with its type byte. */
  start = 0;
  name = 0;
  nameEnd = 0;
  value = 0;
  /** Where the element ends. */
  end: number;

  constructor(bytes: Uint8Array, document: number) {
    this.bytes = bytes;
    this.end = document + 4;
  }

  reset(bytes: Uint8Array, document: number): this {
    this.bytes = bytes;
    this.end = document + 4;
    return this;
  }

  next(): boolean {
    const { bytes } = this;
    this.start = this.end;
    this.type = bytes[this.start]!;
    if (this.type === 0) return false;
    this.name = this.start + 1;
    this.nameEnd = nameEnd(bytes, this.name);
    this.value = this.nameEnd + 1;
    this.end = valueEnd(bytes, this.type, this.value);
    return true;
  }

  /** Moves to the element with this name; returns false if there is none. */
  find(name: Uint8Array): boolean {
    while (this.next()) if (equalBytes(this.bytes, this.name, this.nameEnd, name, 0, name.length)) return true;
    return false;
  }
}

export function equalBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  const length = aEnd - aStart;
  if (length !== bEnd - bStart) return false;
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/** Moves to the `_id`, which the server stores first; returns false if there is none. */
export function idElement(elements: Elements): boolean {
  while (elements.next()) {
    const { bytes, name } = elements;
    if (elements.nameEnd - name === 3 && bytes[name] === 0x5f && bytes[name + 1] === 0x69 && bytes[name + 2] === 0x64)
      return true;
  }
  return false;
}

/** Reads an element that stands by itself, outside of a document. */
export function bareElement(bytes: Uint8Array): Elements {
  const element = new Elements(bytes, -4);
  element.next();
  return element;
}
