/**
 * What has to be written to make the collection equal to the feed.
 *
 * States: open (stored documents are taken, each once) → finished (what is left of the feed is to be inserted) →
 * finished, as often as keys have been touched since: those are compared again, the rest stands.
 */
import { join } from 'node:path';
import type { MaxDeletes } from '../protocol/max-deletes.ts';
import type { Counts } from '../protocol/runs.ts';
import { Elements, idElement } from './bson/elements.ts';
import { keyText } from './bson/keys.ts';
import { checkDeletes } from './deletes-guard.ts';
import { DocumentList } from './prepared/document-list.ts';
import { itemFlag } from './prepared/item-table.ts';
import { IntList } from './prepared/lists.ts';
import type { PreparedFeed } from './prepared/prepared-feed.ts';

/** Keys that may have changed since they were compared: by their text, the `_id` element of each. */
export type TouchedKeys = ReadonlyMap<string, Uint8Array>;

export class Plan {
  readonly #feed: PreparedFeed;
  /** The stored documents that would be replaced or deleted. */
  readonly #before: DocumentList;
  /** Items whose document differs from the stored one, and where in `before` that is. */
  readonly #updates = new IntList();
  readonly #replaced = new IntList();
  /** Items that the collection does not have. */
  readonly #inserts = new IntList();
  /** Stored documents whose keys the feed does not have. */
  readonly #deletes = new IntList();
  readonly #id = new Elements(Buffer.alloc(5), 0);
  #disposed = false;

  constructor(feed: PreparedFeed, folder: string) {
    this.#feed = feed;
    this.#before = new DocumentList(join(folder, `before-${plans++}.bson`));
    feed.table.clear(itemFlag.seen);
  }

  /** Takes one stored document; each once. */
  readonly take = (bytes: Uint8Array, at: number, end: number): void => {
    const feed = this.#feed;
    const comparison = feed.compare(bytes, at, end);
    if (comparison === 'missing') this.#deletes.push(this.#before.push(bytes, at, end));
    else {
      feed.table.set(feed.found, itemFlag.seen);
      if (comparison === 'changed') this.#update(feed.found, bytes, at, end);
    }
  };

  /** Every stored document has been taken. */
  finish(): void {
    const { table } = this.#feed;
    for (let item = 0; item < table.count; item++) if (!table.is(item, itemFlag.seen)) this.#inserts.push(item);
  }

  /**
   * Compares these keys anew. `read` calls back with each of their documents that the collection has now.
   *
   * What the plan says of other keys stands, so this costs what was touched, not what the collection holds.
   *
   * @returns the `_id` element of each of them that would be inserted
   */
  async retouch(keys: TouchedKeys, read: (take: typeof this.take) => Promise<void>): Promise<Uint8Array[]> {
    if (keys.size === 0) return [];
    const items = new Set<number>();
    for (const element of keys.values()) {
      const item = this.#feed.find(keyElement(element));
      if (item !== -1) items.add(item);
    }
    this.#forget(keys, items);
    const missing = new Set(items);
    await read((bytes, at, end) => {
      const feed = this.#feed;
      const comparison = feed.compare(bytes, at, end);
      if (comparison === 'missing') this.#deletes.push(this.#before.push(bytes, at, end));
      else {
        missing.delete(feed.found);
        if (comparison === 'changed') this.#update(feed.found, bytes, at, end);
      }
    });
    for (const item of missing) this.#inserts.push(item);
    return [...missing].map((item) => this.#idOf(this.#feed.document(item)));
  }

  get counts(): Counts {
    const [inserted, updated, deleted] = [this.#inserts.length, this.#updates.length, this.#deletes.length];
    return { inserted, updated, deleted, unchanged: this.#feed.table.count - inserted - updated };
  }

  /** How many documents would be written. */
  get size(): number {
    return this.#inserts.length + this.#updates.length + this.#deletes.length;
  }

  /** How many documents the collection holds. */
  get stored(): number {
    return this.#feed.table.count - this.#inserts.length + this.#deletes.length;
  }

  get updates(): number {
    return this.#updates.length;
  }

  /** The item that the update replaces the stored document with. */
  updated(index: number): number {
    return this.#updates.at(index);
  }

  /** The stored document that the update replaces; valid until the next call, like all documents here. */
  replaced(index: number): Buffer {
    return this.#before.at(this.#replaced.at(index));
  }

  get inserts(): number {
    return this.#inserts.length;
  }

  inserted(index: number): number {
    return this.#inserts.at(index);
  }

  /** Each item that would be inserted or replace a stored document. */
  *writtenItems(): Generator<number> {
    for (let i = 0; i < this.updates; i++) yield this.updated(i);
    yield* this.insertedItems();
  }

  *insertedItems(): Generator<number> {
    for (let i = 0; i < this.inserts; i++) yield this.inserted(i);
  }

  get deletes(): number {
    return this.#deletes.length;
  }

  deleted(index: number): Buffer {
    return this.#before.at(this.#deletes.at(index));
  }

  /** The `_id` element of each document that would be written. */
  *keys(): Generator<Uint8Array> {
    for (let i = 0; i < this.deletes; i++) yield this.#idOf(this.deleted(i));
    for (let i = 0; i < this.updates; i++) yield this.#idOf(this.#feed.document(this.updated(i)));
    yield* this.insertedKeys();
  }

  /** The `_id` element of each document that would be inserted. */
  *insertedKeys(): Generator<Uint8Array> {
    for (const item of this.insertedItems()) yield this.#idOf(this.#feed.document(item));
  }

  /** @throws QuiesceError `too-many-deletes` */
  checkDeletes(maxDeletes: MaxDeletes | undefined): void {
    checkDeletes({ deletes: this.deletes, stored: this.stored, items: this.#feed.table.count }, maxDeletes);
  }

  /** May be called twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#before.close();
  }

  #update(item: number, bytes: Uint8Array, at: number, end: number): void {
    this.#updates.push(item);
    this.#replaced.push(this.#before.push(bytes, at, end));
  }

  #forget(keys: TouchedKeys, items: ReadonlySet<number>): void {
    const stays: boolean[] = [];
    this.#updates.filter((item, i) => (stays[i] = !items.has(item)));
    this.#replaced.filter((_, i) => stays[i]!);
    this.#inserts.filter((item) => !items.has(item));
    if (keys.size > items.size) this.#deletes.filter((document) => !keys.has(this.#textOf(document)));
  }

  /** A copy, which is the caller's. */
  #idOf(document: Buffer): Uint8Array {
    const id = this.#readId(document);
    return Uint8Array.prototype.slice.call(id.bytes, id.start, id.end);
  }

  #textOf(document: number): string {
    const id = this.#readId(this.#before.at(document));
    return keyText(id.bytes, id.type, id.value, id.end);
  }

  /** Valid until the next call. */
  #readId(document: Buffer): Elements {
    idElement(this.#id.reset(document, 0));
    return this.#id;
  }
}

/** A thread may hold several plans of one run at a time: each has a file of its own. */
let plans = 0;

function keyElement(bytes: Uint8Array): Elements {
  const element = new Elements(bytes, -4);
  element.next();
  return element;
}
