/**
 * The members of stored documents that the app owns, and a run keeps. They are compared away, and written back where a
 * document is replaced as a whole: in a copy of the collection, or by a delete and an insert.
 *
 * The members of each item's document are kept in a file: 4 bytes of memory per item.
 */
import { BSON } from 'mongodb';
import { Elements, equalBytes } from '../bson/elements.ts';
import { BsonOutput } from '../bson/output.ts';
import { DocumentList } from './document-list.ts';
import type { ItemTable } from './item-table.ts';

export class KeptMembers {
  /** `{name: '$name', …}` for a pipeline: MongoDB leaves out a member that the document does not have. */
  readonly projection: Buffer;
  /** After {@link KeptMembers.strip}: the document without these members. */
  readonly stripped: BsonOutput = new BsonOutput();
  readonly #names: readonly Buffer[];
  readonly #table: ItemTable;
  readonly #list: DocumentList;
  readonly #members = new BsonOutput();
  readonly #elements = new Elements(Buffer.alloc(5), 0);
  /** For each item, the number of its members in the list + 1; 0 if it has none. */
  #places = new Int32Array(0);
  #changed: Set<number> | null = null;

  constructor(names: readonly string[], table: ItemTable, path: string) {
    this.projection = Buffer.from(BSON.serialize(Object.fromEntries(names.map((name) => [name, `$${name}`]))));
    this.#names = names.map((name) => Buffer.from(name));
    this.#table = table;
    this.#list = new DocumentList(path);
  }

  /**
   * Writes the document without these members to `stripped`, and remembers them for {@link KeptMembers.note}. Returns
   * false if it has none of them.
   */
  strip(bytes: Uint8Array, at: number): boolean {
    const out = this.stripped;
    const members = this.#members;
    members.at = 0;
    const elements = this.#elements.reset(bytes, at);
    out.at = 4;
    let begin = at + 4;
    while (elements.next()) {
      if (!isNamed(elements, this.#names)) continue;
      out.copy(bytes, begin, elements.start);
      members.copy(bytes, elements.start, elements.end);
      begin = elements.end;
    }
    if (members.at === 0) return false;
    out.copy(bytes, begin, elements.start);
    out.byte(0);
    out.setInt32(0, out.at);
    return true;
  }

  /** Keeps the members of the stripped document, which is the stored document of this item. */
  note(item: number): void {
    if (this.#places.length === 0) this.#places = new Int32Array(this.#table.count);
    const { bytes, at: length } = this.#members;
    this.#places[item] = length === 0 ? 0 : this.#list.push(bytes, 0, length) + 1;
    this.#changed?.add(item);
  }

  /** The item's document is gone. */
  forget(item: number): void {
    if (this.#places.length > 0) this.#places[item] = 0;
    this.#changed?.add(item);
  }

  clear(): void {
    this.#places.fill(0);
  }

  /** From now on, `changed` has the items whose members were read again. */
  watch(): void {
    this.#changed = new Set();
  }

  get changed(): readonly number[] {
    return [...(this.#changed ?? [])];
  }

  /** Returns the item's document together with these members. */
  merged(item: number, document: Buffer): Buffer {
    const place = this.#places[item] ?? 0;
    if (place === 0) return document;
    const members = this.#list.at(place - 1);
    const whole = Buffer.concat([document.subarray(0, -1), members, Buffer.alloc(1)]);
    whole.writeInt32LE(whole.length, 0);
    return whole;
  }

  close(): void {
    this.#list.close();
  }
}

/** Whether the element has one of these names. */
export function isNamed({ bytes, name, nameEnd }: Elements, names: readonly Buffer[]): boolean {
  for (const wanted of names) if (equalBytes(bytes, name, nameEnd, wanted, 0, wanted.length)) return true;
  return false;
}
