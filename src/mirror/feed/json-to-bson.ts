/**
 * Turns JSON directly into BSON, byte by byte. No object is built, so a hostile item costs no more memory than the
 * largest document, members keep their order, and each value that cannot be mirrored exactly is reported at its place.
 */
import { pointerTo } from '../../protocol/feed/json-pointer.ts';
import { bsonType } from '../bson/elements.ts';
import { tooLarge, type BsonOutput } from '../bson/output.ts';
import { replaceTyped, typeNameAt } from './extended-json.ts';
import { copyNumber } from './json-number.ts';
import { copyString } from './json-string.ts';
import { refused, type JsonText } from './json-text.ts';
import { MemberNames } from './member-names.ts';

/** MongoDB stores documents of up to 180 levels; the document itself is the first level. */
export const maxDepth = 180;

/** How many levels a value of Extended JSON may have: `{"$date": {"$numberLong": …}}`. */
const typedDepth = 2;

const dollar = 0x24;
const comma = 0x2c;
const closeBracket = 0x5d;
const closeBrace = 0x7d;

export class JsonToBson {
  readonly out: BsonOutput;
  readonly #extended: boolean;
  readonly #names = new MemberNames();
  /** The place of the current member's name in the output, for each level; for an index of an array, the end is -1. */
  readonly #pathStart = new Int32Array(maxDepth + typedDepth + 1);
  readonly #pathEnd = new Int32Array(maxDepth + typedDepth + 1);
  #depth = 0;
  #pointTo = '';

  /** `extended`: the text is MongoDB Extended JSON. */
  constructor(out: BsonOutput, extended: boolean) {
    this.out = out;
    this.#extended = extended;
  }

  /**
   * Writes the single value of the text and returns its BSON type. The output starts with the value itself.
   *
   * @throws QuiesceError `malformed-json` if the text is not JSON
   * @throws {@link refused} if it is JSON but cannot be mirrored; `pointer()` then returns the place
   */
  convert(text: JsonText): number {
    this.out.at = 0;
    this.#names.top = 0;
    this.#depth = 0;
    this.#pointTo = '';
    if (text.skipSpace() === -1) text.malformed('a value is missing');
    let type: number;
    try {
      type = this.#value(text);
    } catch (error) {
      if (error !== tooLarge) throw error;
      text.refusal = 'larger than the 16 MiB that MongoDB takes';
      this.#depth = 0;
      throw refused;
    }
    const next = text.skipSpace();
    if (next !== -1) text.misplaced(next, 'behind the end of a value');
    return type;
  }

  /** Returns the place of the last refusal inside the item, RFC 6901. */
  pointer(): string {
    let pointer = this.#pointTo;
    for (let level = 1; level <= this.#depth; level++) {
      const start = this.#pathStart[level]!;
      const end = this.#pathEnd[level]!;
      const token = end === -1 ? String(start) : this.out.bytes.toString('utf8', start, end);
      pointer += pointerTo([token]);
      if (pointer.length > 1000) return '';
    }
    return pointer;
  }

  /** Sets the place of a refusal that is found after the conversion. */
  pointTo(pointer: string): void {
    this.#depth = 0;
    this.#pointTo = pointer;
  }

  #value(text: JsonText): number {
    const { out } = this;
    const byte = text.bytes[text.pos]!;
    switch (byte) {
      case 0x22: {
        text.pos++;
        const length = out.startLength();
        copyString(text, out);
        out.byte(0);
        out.endLength(length, -4);
        return bsonType.string;
      }
      case 0x7b:
        return this.#object(text);
      case 0x5b:
        return this.#array(text);
      case 0x74:
        expectWord(text, 'true');
        out.byte(1);
        return bsonType.boolean;
      case 0x66:
        expectWord(text, 'false');
        out.byte(0);
        return bsonType.boolean;
      case 0x6e:
        expectWord(text, 'null');
        return bsonType.null;
      default:
        if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return copyNumber(text, out, this.#extended);
        return text.misplaced(byte, 'where a value should be');
    }
  }

  #object(text: JsonText): number {
    const { out } = this;
    const names = this.#names;
    let typeName: string | null = null;
    const length = this.#open(text);
    const level = this.#depth;
    names.open(level);
    let byte = text.skipSpace();
    if (byte === closeBrace) text.pos++;
    else
      do {
        if (byte !== 0x22) text.unexpected(byte, 'object', 'where a name should be');
        text.pos++;
        out.ensure(1);
        const typeAt = out.at++;
        this.#depth = level - 1; // a fault in the name itself is reported for the object
        copyString(text, out);
        this.#depth = level;
        this.#pathStart[level] = typeAt + 1;
        this.#pathEnd[level] = out.at;
        if (!names.add(out, typeAt + 1, out.at, level)) text.refuse('a second member of the same name');
        if (hasNul(out, typeAt + 1)) text.refuse('a name with a NUL, which BSON cannot hold');
        if (this.#extended && out.bytes[typeAt + 1] === dollar) typeName ??= typeNameAt(out.bytes, typeAt + 1, out.at);
        out.byte(0);
        byte = text.skipSpace();
        if (byte !== 0x3a) text.unexpected(byte, 'object', 'where a colon should be');
        text.pos++;
        if (text.skipSpace() === -1) text.unended('object');
        const type = this.#value(text);
        out.bytes[typeAt] = type;
        byte = nextMember(text, closeBrace, 'object');
      } while (byte !== closeBrace);
    names.close(out, level);
    const type = this.#close(text, length, bsonType.object, typeName !== null);
    return typeName === null ? type : this.#typed(text, length, typeName);
  }

  #typed(text: JsonText, start: number, typeName: string): number {
    const type = replaceTyped(this.out, start, typeName);
    if (typeof type === 'string') text.refuse(`no valid Extended JSON: ${type}`);
    return type;
  }

  #array(text: JsonText): number {
    const { out } = this;
    const length = this.#open(text);
    const level = this.#depth;
    let byte = text.skipSpace();
    if (byte === -1) text.unended('array');
    if (byte === closeBracket) text.pos++;
    else
      for (let index = 0; index === 0 || byte !== closeBracket; index++) {
        this.#pathStart[level] = index;
        this.#pathEnd[level] = -1;
        out.ensure(1);
        const typeAt = out.at++;
        out.index(index);
        const type = this.#value(text);
        out.bytes[typeAt] = type;
        byte = nextMember(text, closeBracket, 'array');
      }
    return this.#close(text, length, bsonType.array, false);
  }

  #open(text: JsonText): number {
    text.pos++;
    if (this.#depth === maxDepth + (this.#extended ? typedDepth : 0)) this.#tooDeep(text);
    this.#depth++;
    this.#pathEnd[this.#depth] = 0;
    this.#pathStart[this.#depth] = 0;
    return this.out.startLength();
  }

  #tooDeep(text: JsonText): never {
    this.#depth = 0; // a pointer of 180 steps is too long to be useful
    text.refuse(`nested deeper than the ${maxDepth} levels that MongoDB takes`);
  }

  #close(text: JsonText, length: number, type: number, isTyped: boolean): number {
    if (this.#depth > maxDepth && !isTyped) this.#tooDeep(text);
    this.#depth--;
    this.out.byte(0);
    this.out.endLength(length);
    return type;
  }
}

/** Reads a comma and returns the first byte of the next member; or reads the closing byte and returns it. */
function nextMember(text: JsonText, close: number, inside: 'object' | 'array'): number {
  let byte = text.skipSpace();
  if (byte === comma) {
    text.pos++;
    byte = text.skipSpace();
    if (byte !== close && byte !== -1) return byte;
  } else if (byte === close) {
    text.pos++;
    return byte;
  }
  return text.unexpected(byte, inside, `out of place in an ${inside}`);
}

function hasNul({ bytes, at }: BsonOutput, start: number): boolean {
  for (let i = start; i < at; i++) if (bytes[i] === 0) return true;
  return false;
}

function expectWord(text: JsonText, word: string): void {
  for (let i = 0; i < word.length; i++) {
    if (text.pos + i >= text.end || text.bytes[text.pos + i] !== word.charCodeAt(i))
      text.malformed(`something that is no “${word}”`);
  }
  text.pos += word.length;
}
