/**
 * Turns an item of the feed into the document to store: the key first, as `_id`, and the members of the scope added.
 */
import { BSON } from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import { pointerTo } from '../../protocol/feed/json-pointer.ts';
import { plainKey, type MirrorKey } from '../../protocol/feed/mirror-key.ts';
import { bsonType, Elements, equalBytes } from '../bson/elements.ts';
import { equalElements } from '../bson/equal.ts';
import { doubleAt } from '../bson/numbers.ts';
import { BsonOutput, maxDocumentBytes } from '../bson/output.ts';
import { isNamed } from '../prepared/kept-members.ts';
import { JsonText, refused } from './json-text.ts';
import { JsonToBson } from './json-to-bson.ts';
import { KeyWriter } from './key-writer.ts';

export interface EncoderOptions {
  readonly key: MirrorKey;
  /** Members that the app owns: what a feed says of them is left out. */
  readonly keep?: readonly string[] | undefined;
  readonly scope?: Readonly<Record<string, unknown>> | undefined;
  readonly extendedJson: boolean;
}

/** Extended JSON is longer than its value: `{"$numberInt": "1"}` as plain BSON takes 29 bytes, its value 4. */
const extendedLimit = 3 * maxDocumentBytes;

const idName = Buffer.from('_id');

export class ItemEncoder {
  /** After `encode` returned true: the document, `document.bytes` up to `document.at`. The next call overwrites it. */
  readonly document: BsonOutput = new BsonOutput();
  /** Whether a top-level name starts with `$`: such a document needs a special form of update. */
  dollar = false;
  /** After `encode` returned false: the place of the fault in the item (RFC 6901); `detail` describes the fault. */
  pointer = '';
  detail = '';
  readonly #text = new JsonText();
  readonly #converter: JsonToBson;
  readonly #elements = new Elements(Buffer.alloc(5), 0);
  readonly #key: Buffer;
  /** Null if the key is one member and nothing is kept: then the item is copied in two pieces. */
  readonly #writer: KeyWriter | null;
  /** The members that the document does not have from the item: the key that becomes `_id`, and the kept ones. */
  readonly #omitted: readonly Buffer[];
  readonly #scope: Elements[];

  constructor({ key, scope, extendedJson, keep = [] }: EncoderOptions) {
    const plain = plainKey(key);
    this.#key = Buffer.from(plain ?? '');
    this.#writer = plain !== null && keep.length === 0 ? null : new KeyWriter(key);
    const moved = this.#writer?.moved ?? null;
    this.#omitted = [...(moved === null ? [] : [moved]), ...keep.map((name) => Buffer.from(name))];
    this.#converter = new JsonToBson(new BsonOutput(extendedJson ? extendedLimit : maxDocumentBytes), extendedJson);
    this.#scope = scope ? scopeElements(scope, plain) : [];
  }

  /**
   * Encodes the item in `bytes` from `start` to `end`; `base` is the position of `bytes[0]` in the feed.
   *
   * @returns false if the item cannot be mirrored
   * @throws QuiesceError `malformed-json` if the item is not JSON
   */
  encode(bytes: Buffer, start: number, end: number, base: number): boolean {
    const text = this.#text;
    text.bytes = bytes;
    text.pos = start;
    text.end = end;
    text.base = base;
    try {
      text.requireUtf8();
      const type = this.#converter.convert(text);
      if (type !== bsonType.object) text.refuse(`an item has to be an object, and this is ${nameOfType(type)}`);
      if (this.#writer === null) this.#assemble(this.#converter.out.bytes);
      else this.#assembleApart(this.#converter.out.bytes, this.#writer);
      return true;
    } catch (error) {
      if (error !== refused) throw error;
      this.pointer = this.#converter.pointer();
      this.detail = text.refusal;
      return false;
    }
  }

  #assemble(bytes: Uint8Array): void {
    const { document } = this;
    const elements = this.#elements.reset(bytes, 0);
    this.dollar = false;
    let key = -1;
    let keyEnd = -1;
    let scoped = 0;
    while (elements.next()) {
      if (bytes[elements.name] === 0x24) this.dollar = true;
      if (key === -1 && equalBytes(bytes, elements.name, elements.nameEnd, this.#key, 0, this.#key.length)) {
        this.#checkKey(elements);
        key = elements.start;
        keyEnd = elements.end;
        document.at = 4;
        document.byte(elements.type);
        document.copy(idName, 0, 3);
        document.byte(0);
        document.copy(bytes, elements.value, elements.end);
      } else if (equalBytes(bytes, elements.name, elements.nameEnd, idName, 0, 3)) {
        this.#refuse(
          `the key “${this.#key.toString()}” is stored as “_id”, and the item has an “_id” of its own`,
          '/_id',
        );
      } else if (this.#scope.length > 0 && this.#inScope(elements)) scoped++;
    }
    if (key === -1) this.#refuse(`the key “${this.#key.toString()}” is missing`);
    document.copy(bytes, 4, key);
    document.copy(bytes, keyEnd, elements.start);
    this.#finish(bytes, scoped);
  }

  /** The same for a key that is a path or has several parts, which stays in the document, and without kept members. */
  #assembleApart(bytes: Uint8Array, writer: KeyWriter): void {
    const { document } = this;
    document.at = 4;
    writer.write(bytes, document, keyFault, (detail, pointer) => this.#refuse(detail, pointer));
    const elements = this.#elements.reset(bytes, 0);
    this.dollar = false;
    let scoped = 0;
    while (elements.next()) {
      if (isNamed(elements, this.#omitted)) continue;
      if (bytes[elements.name] === 0x24) this.dollar = true;
      if (equalBytes(bytes, elements.name, elements.nameEnd, idName, 0, 3))
        this.#refuse('the key is stored as “_id”, and the item has an “_id” of its own', '/_id');
      if (this.#scope.length > 0 && this.#inScope(elements)) scoped++;
      document.copy(bytes, elements.start, elements.end);
    }
    this.#finish(bytes, scoped);
  }

  #finish(bytes: Uint8Array, scoped: number): void {
    const { document } = this;
    if (scoped < this.#scope.length) this.#addScope(bytes);
    document.byte(0);
    document.setInt32(0, document.at);
    if (document.at > maxDocumentBytes) this.#refuse('larger than the 16 MiB that MongoDB takes');
  }

  #checkKey(elements: Elements): void {
    const { bytes, type, value } = elements;
    const fault = keyFault(bytes, type, value);
    if (fault) this.#refuse(`the key ${fault}`, pointerTo([this.#key.toString()]));
  }

  /** Whether this is a member of the scope. Refuses the item if the value differs from the scope's. */
  #inScope(elements: Elements): boolean {
    const { bytes } = elements;
    for (const wanted of this.#scope) {
      if (!equalBytes(bytes, elements.name, elements.nameEnd, wanted.bytes, wanted.name, wanted.nameEnd)) continue;
      if (equalElements(elements, wanted)) return true;
      const name = Buffer.from(wanted.bytes.subarray(wanted.name, wanted.nameEnd)).toString();
      this.#refuse(`the item lies outside the scope of this mirror: its “${name}” is another`, pointerTo([name]));
    }
    return false;
  }

  #addScope(bytes: Uint8Array): void {
    const present = new Elements(bytes, 0);
    for (const wanted of this.#scope) {
      present.reset(bytes, 0);
      if (!present.find(wanted.bytes.subarray(wanted.name, wanted.nameEnd)))
        this.document.copy(wanted.bytes, wanted.start, wanted.end);
    }
  }

  #refuse(detail: string, pointer = ''): never {
    this.#converter.pointTo(pointer);
    return this.#text.refuse(detail);
  }
}

/** Returns why MongoDB or a mirror cannot use this value as a key, or null if it can. */
function keyFault(bytes: Uint8Array, type: number, value: number): string | null {
  switch (type) {
    case bsonType.string:
    case bsonType.int32:
    case bsonType.int64:
    case bsonType.boolean:
    case bsonType.objectId:
    case bsonType.date:
    case bsonType.binary:
    case bsonType.timestamp:
    case bsonType.decimal128:
      return null;
    case bsonType.double:
      return Number.isFinite(doubleAt(bytes, value)) ? null : 'is no finite number';
    case bsonType.object:
      return hasDollar(bytes, value)
        ? 'is an object with a member that starts with “$”, which MongoDB does not take as a key'
        : null;
    default:
      return `is ${nameOfType(type)}; a key is a string, a number, a boolean or an object`;
  }
}

function hasDollar(bytes: Uint8Array, at: number): boolean {
  const elements = new Elements(bytes, at);
  while (elements.next()) {
    if (bytes[elements.name] === 0x24) return true;
    if ((elements.type === bsonType.object || elements.type === bsonType.array) && hasDollar(bytes, elements.value))
      return true;
  }
  return false;
}

const typeNames: Readonly<Record<number, string>> = {
  [bsonType.string]: 'a string',
  [bsonType.array]: 'an array',
  [bsonType.null]: 'null',
  [bsonType.boolean]: 'a boolean',
  [bsonType.int32]: 'a number',
  [bsonType.int64]: 'a number',
  [bsonType.double]: 'a number',
  [bsonType.regex]: 'a regular expression',
};

function nameOfType(type: number): string {
  return typeNames[type] ?? 'of another type';
}

function scopeElements(scope: Readonly<Record<string, unknown>>, key: string | null): Elements[] {
  const result: Elements[] = [];
  for (const [name, value] of Object.entries(scope)) {
    const scalar =
      typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
    if (
      !scalar ||
      name === key ||
      name === '_id' ||
      name === '' ||
      name.startsWith('$') ||
      name.includes('.') ||
      name.includes('\0')
    ) {
      throw new QuiesceError(
        'bad-config',
        `The scope of a mirror takes top-level members with a string, a number or a boolean each; “${name}” is none.`,
      );
    }
    const elements = new Elements(BSON.serialize({ [name]: value }), 0);
    elements.next();
    result.push(elements);
  }
  return result;
}
