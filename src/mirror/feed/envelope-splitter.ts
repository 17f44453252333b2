/**
 * Splits the array at a path in a JSON object, such as the products of `{"data": {"products": […]}, "total": 2}`. The
 * rest of the object is checked and forgotten: memory does not grow with it.
 *
 * States: value → (string | bare) → after …, and `items` while the array at the path is split. `done` after the last
 * brace. The feed is complete only then: an export that is cut off behind its items is refused as well.
 */
import { QuiesceError } from '../../errors.ts';
import { pointerTo } from '../../protocol/feed/json-pointer.ts';
import { ArraySplitter } from './array-splitter.ts';
import { isSpace, malformedAt, malformedJson, misplaced } from './json-text.ts';
import type { ItemSink, Splitter } from './splitter.ts';

type State =
  | 'value'
  | 'value-or-end'
  | 'name'
  | 'name-or-end'
  | 'colon'
  | 'after'
  | 'string'
  | 'bare'
  | 'items'
  | 'done';

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** The deepest nesting outside of the items. */
const maxDepth = 1000;
/** The longest number outside of the items, in digits. */
const longestBare = 1000;
const bareValue = /^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/;

export class EnvelopeSplitter implements Splitter {
  readonly #array: ArraySplitter;
  readonly #path: readonly string[];
  /** A longer name cannot be one of the path, in bytes with every character escaped. */
  readonly #longestName: number;
  #state: State = 'value';
  /** The position of the current chunk in the feed. */
  #base = 0;
  /** For each open container whether it is an object. */
  readonly #isObject: boolean[] = [];
  /** How many of the open containers are on the path. */
  #onPath = 0;
  /** For each container on the path whether it has had the member that the path names. */
  readonly #had: boolean[] = [];
  /** The next value is on the path. */
  #isHere = true;
  /** The string is a name. */
  #isName = false;
  /** The bytes of a name, or of a bare value, that extends over chunks. */
  #text: number[] = [];
  /** How many bytes of an escape are to come; 5 right after the backslash. */
  #escape = 0;

  /** @param path the names of the members that lead to the array, at least one */
  constructor(sink: ItemSink, path: readonly string[]) {
    this.#array = new ArraySplitter(sink);
    this.#path = path;
    this.#longestName = 6 * Math.max(...path.map((name) => Buffer.byteLength(name)));
  }

  push(chunk: Buffer): void {
    for (let pos = 0; pos < chunk.length;) {
      if (this.#state === 'items') {
        pos = this.#array.take(chunk, pos, this.#base);
        if (this.#array.isDone) this.#ended();
      } else if (this.#state === 'string') pos = this.#string(chunk, pos);
      else if (this.#state === 'bare') pos = this.#bare(chunk, pos);
      else if (isSpace(chunk[pos]!)) pos++;
      else pos = this.#token(chunk, pos);
    }
    this.#base += chunk.length;
  }

  end(): void {
    if (this.#state === 'items') this.#array.end();
    if (this.#state === 'done') return;
    const isEmpty = this.#state === 'value' && this.#isObject.length === 0;
    throw isEmpty
      ? malformedJson('it is empty', this.#base)
      : malformedAt('it is cut off: the object does not end', this.#base);
  }

  #token(chunk: Buffer, pos: number): number {
    const byte = chunk[pos]!;
    switch (this.#state) {
      case 'value-or-end':
        if (byte === closeBracket) return this.#close(pos);
        return this.#value(byte, pos);
      case 'value':
        return this.#value(byte, pos);
      case 'name-or-end':
        if (byte === closeBrace) return this.#close(pos);
        return this.#name(byte, pos);
      case 'name':
        return this.#name(byte, pos);
      case 'colon':
        if (byte !== 0x3a) this.#fail(byte, pos, 'where a colon should be');
        this.#state = 'value';
        return pos + 1;
      case 'after': {
        const isObject = this.#isObject.at(-1);
        if (byte === (isObject ? closeBrace : closeBracket)) return this.#close(pos);
        if (byte !== 0x2c) this.#fail(byte, pos, `where a comma or “${isObject ? '}' : ']'}” should be`);
        this.#state = isObject ? 'name' : 'value';
        return pos + 1;
      }
      default:
        return this.#fail(byte, pos, 'behind the end of the object');
    }
  }

  #value(byte: number, pos: number): number {
    if (this.#isHere) {
      const isTarget = this.#isObject.length === this.#path.length;
      if (isTarget && byte === openBracket) {
        this.#state = 'items';
        return pos;
      }
      if (isTarget || byte !== openBrace) this.#notHere(byte);
    }
    switch (byte) {
      case openBrace:
        return this.#open(true, pos);
      case openBracket:
        return this.#open(false, pos);
      case quote:
        this.#isName = false;
        this.#state = 'string';
        return pos + 1;
      default:
        if (byte !== 0x2d && !(byte >= 0x30 && byte <= 0x39) && byte !== 0x74 && byte !== 0x66 && byte !== 0x6e)
          this.#fail(byte, pos, 'where a value should be');
        this.#text = [];
        this.#state = 'bare';
        return pos;
    }
  }

  #name(byte: number, pos: number): number {
    if (byte !== quote) this.#fail(byte, pos, 'where a name should be');
    this.#isName = true;
    this.#text = [];
    this.#state = 'string';
    return pos + 1;
  }

  #open(isObject: boolean, pos: number): number {
    if (this.#isObject.length === maxDepth)
      throw malformedAt(`it is nested deeper than ${maxDepth} levels`, this.#base + pos);
    this.#isObject.push(isObject);
    if (this.#isHere) {
      this.#onPath = this.#isObject.length;
      this.#had[this.#onPath] = false;
    }
    this.#isHere = false;
    this.#state = isObject ? 'name-or-end' : 'value-or-end';
    return pos + 1;
  }

  #close(pos: number): number {
    if (this.#isObject.length === this.#onPath) {
      if (!this.#had[this.#onPath]) this.#refuse(this.#onPath, 'the feed has no such member');
      this.#onPath--;
    }
    this.#isObject.pop();
    this.#ended();
    return pos + 1;
  }

  /** A value has ended. */
  #ended(): void {
    this.#isHere = false;
    this.#state = this.#isObject.length === 0 ? 'done' : 'after';
  }

  /** Reads a string, or the part of it that is in this chunk. */
  #string(chunk: Buffer, start: number): number {
    const isKept = this.#isName && this.#isObject.length === this.#onPath;
    let pos = start;
    for (; pos < chunk.length; pos++) {
      const byte = chunk[pos]!;
      if (this.#escape > 0) this.#escaped(byte, pos);
      else if (byte === quote) {
        this.#stringEnded();
        return pos + 1;
      } else if (byte === backslash) this.#escape = 5;
      else if (byte < 0x20) this.#fail(byte, pos, 'in a string');
      if (isKept && this.#text.length <= this.#longestName) this.#text.push(byte);
    }
    return pos;
  }

  #escaped(byte: number, pos: number): void {
    if (this.#escape === 5) {
      if (byte === 0x75) this.#escape = 4;
      else if ('"\\/bfnrt'.includes(String.fromCharCode(byte))) this.#escape = 0;
      else this.#fail(byte, pos, 'in an escape');
    } else {
      if (!/[\da-f]/i.test(String.fromCharCode(byte))) this.#fail(byte, pos, 'in an escape');
      this.#escape--;
    }
  }

  #stringEnded(): void {
    if (!this.#isName) return this.#ended();
    this.#state = 'colon';
    const depth = this.#isObject.length;
    if (depth !== this.#onPath || this.#text.length > this.#longestName) return;
    if (JSON.parse(`"${Buffer.from(this.#text).toString('utf8')}"`) !== this.#path[depth - 1]) return;
    // RFC 8259 does not define which of the two counts.
    if (this.#had[depth]) this.#refuse(depth, 'a second member of the same name');
    this.#had[depth] = true;
    this.#isHere = true;
  }

  #bare(chunk: Buffer, start: number): number {
    let pos = start;
    for (; pos < chunk.length; pos++) {
      const byte = chunk[pos]!;
      if (byte === 0x2c || byte === closeBrace || byte === closeBracket || isSpace(byte)) {
        this.#bareEnded(pos);
        return pos;
      }
      if (this.#text.push(byte) > longestBare) this.#bareEnded(pos);
    }
    return pos;
  }

  #bareEnded(pos: number): void {
    const text = Buffer.from(this.#text).toString('latin1');
    const at = this.#base + pos;
    if (!bareValue.test(text) || text.length > longestBare)
      throw malformedJson(`${JSON.stringify(text.slice(0, 20))} is no value, before byte ${at}`, at);
    this.#ended();
  }

  /** The value on the path is of the wrong kind. */
  #notHere(byte: number): never {
    const depth = this.#isObject.length;
    const wanted = depth === this.#path.length ? 'the array of items' : 'an object';
    this.#refuse(depth, `${wanted} has to be here, and this is ${kindOf(byte)}`);
  }

  #refuse(depth: number, detail: string): never {
    const pointer = pointerTo(this.#path.slice(0, depth));
    throw new QuiesceError(
      'invalid-feed',
      `The feed is invalid: its items have to be in an array at ${pointerTo(this.#path)}; ${pointer || 'as a whole'}: ${detail}. Nothing was changed.`,
      { extra: { errors: [{ pointer, detail }], errorCount: 1 } },
    );
  }

  #fail(byte: number, pos: number, where: string): never {
    throw misplaced(byte, where, this.#base + pos);
  }
}

function kindOf(byte: number): string {
  if (byte === openBracket) return 'an array';
  if (byte === openBrace) return 'an object';
  if (byte === quote) return 'a string';
  return byte === 0x6e ? 'null' : 'no object and no array';
}
