/** A feed that was read and is valid: its documents in a file, and a table that finds them by key. */
import { randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Elements, idElement } from '../bson/elements.ts';
import { equalDocuments } from '../bson/equal.ts';
import { Hasher } from '../bson/hash.ts';
import { KeyedHash } from '../bson/keyed-hash.ts';
import { equalKeys, hashKey } from '../bson/keys.ts';
import { DocumentFile } from './document-file.ts';
import { itemFlag, ItemTable } from './item-table.ts';
import { KeptMembers } from './kept-members.ts';

/** How a stored document relates to the feed. */
export type Comparison = 'missing' | 'same' | 'changed';

export class PreparedFeed {
  readonly table: ItemTable = new ItemTable();
  /** The pointer to the array of items, with which the pointer to each item begins. */
  readonly at: string;
  /** The members that the app owns; null if there are none. */
  readonly kept: KeptMembers | null;
  readonly #file: DocumentFile;
  readonly #keyHash = new KeyedHash();
  readonly #hasher = new Hasher(randomInt(2 ** 32), randomInt(2 ** 32));
  /** The `_id` of the document that is looked up, and the `_id` of the item that it is compared with. */
  readonly #id = new Elements(Buffer.alloc(5), 0);
  readonly #itemId = new Elements(Buffer.alloc(5), 0);
  /** The item that the last {@link PreparedFeed.compare} found. */
  found = -1;

  /**
   * @param at the pointer to the array of items
   * @param keep the names of the members that the app owns
   */
  constructor(folder: string, at: string = '', keep: readonly string[] = []) {
    this.at = at;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#file = new DocumentFile(join(folder, 'prepared.bson'));
    this.kept = keep.length === 0 ? null : new KeptMembers(keep, this.table, join(folder, 'kept.bson'));
  }

  /**
   * Adds a document, whose `_id` is its first member, and returns null; or returns the earlier item with the same key.
   */
  add(document: Buffer, length: number, flags: number): number | null {
    const keyHash = this.#hashId(document, 0);
    const earlier = this.table.find(keyHash, this.#hasSameId);
    if (earlier !== -1) return earlier;
    this.#hasher.hash(document, 0, length);
    const { a, b } = this.#hasher;
    this.table.add(keyHash, a, b, this.#file.append(document, 0, length), length, flags);
    return null;
  }

  /** Call it after the last document was added. */
  finish(): void {
    this.#file.flush();
  }

  /**
   * Compares a stored document, `bytes` from `at` to `end`, with the item that has its key, and sets `found` to that
   * item. Equal fingerprints (64 bits, seeded for this run) count as equal documents; with different fingerprints, the
   * documents are compared by value.
   */
  compare(bytes: Uint8Array, at: number, end: number): Comparison {
    const keyHash = this.#hashId(bytes, at);
    if (this.kept?.strip(bytes, at) === true) {
      const { bytes: stripped, at: length } = this.kept.stripped;
      return this.#compared(keyHash, stripped, 0, length);
    }
    return this.#compared(keyHash, bytes, at, end);
  }

  #compared(keyHash: number, bytes: Uint8Array, at: number, end: number): Comparison {
    this.#hasher.hash(bytes, at, end);
    const { a, b } = this.#hasher;
    let same = false;
    this.found = this.table.find(keyHash, (item) => {
      same = this.table.hasPrint(item, a, b);
      return same || this.#hasSameId(item);
    });
    if (this.found === -1) return 'missing';
    return same || equalDocuments(this.document(this.found), 0, bytes, at, false) ? 'same' : 'changed';
  }

  /** Returns the item whose `_id` is the value of this element, or -1. */
  find({ bytes, type, value, end }: Elements): number {
    const id = this.#id;
    id.bytes = bytes;
    id.type = type;
    id.value = value;
    id.end = end;
    return this.table.find(hashKey(this.#keyHash, bytes, type, value, end), this.#hasSameId);
  }

  /** Returns the document of an item, valid until the next call. */
  document(item: number): Buffer {
    return this.#file.read(this.table.offset(item), this.table.length(item));
  }

  /** The same, together with the members of its stored document that the app owns. */
  whole(item: number): Buffer {
    const document = this.document(item);
    return this.kept === null ? document : this.kept.merged(item, document);
  }

  isDollar(item: number): boolean {
    return this.table.is(item, itemFlag.dollar);
  }

  dispose(): void {
    this.#file.close();
    this.kept?.close();
  }

  #hashId(bytes: Uint8Array, at: number): number {
    const id = this.#id.reset(bytes, at);
    idElement(id);
    return hashKey(this.#keyHash, bytes, id.type, id.value, id.end);
  }

  readonly #hasSameId = (item: number): boolean => {
    const id = this.#id;
    const other = this.#itemId.reset(this.document(item), 0);
    idElement(other);
    return equalKeys(id.bytes, id.type, id.value, id.end, other.bytes, other.type, other.value, other.end);
  };
}
