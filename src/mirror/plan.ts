/**
 * The list of writes that make the collection equal to the feed.
 *
 * States: open (takes each stored document once) → finished (the remaining items of the feed are inserts) → finished
 * again after each `retouch`: it compares the touched keys again and keeps the rest.
 */
import { join } from 'node:path';
import type { MaxDeletes } from '../protocol/feed/max-deletes.ts';
import type { Counts } from '../protocol/api/runs.ts';
import { bareElement, Elements, idElement } from './bson/elements.ts';
import { keyText } from './bson/keys.ts';
import { checkDeletes } from './deletes-guard.ts';
import { DocumentList } from './prepared/document-list.ts';
import { itemFlag } from './prepared/item-table.ts';
import { IntList } from './prepared/lists.ts';
import type { PreparedFeed } from './prepared/prepared-feed.ts';

/** Keys whose documents may have changed since they were compared. Maps the text of a key to its `_id` element. */
export type TouchedKeys = ReadonlyMap<string, Uint8Array>;

export class Plan {
  readonly #feed: PreparedFeed;
  readonly #mayDelete: boolean;
  /** The stored documents that would be replaced or deleted. */
  readonly #before: DocumentList;
  /** Items that differ from their stored document, and (`replaced`) the place of that document in `before`. */
  readonly #updates = new IntList();
  readonly #replaced = new IntList();
  /** Items that are not in the collection. */
  readonly #inserts = new IntList();
  /** Stored documents whose keys are not in the feed. */
  readonly #deletes = new IntList();
  readonly #id = new Elements(Buffer.alloc(5), 0);
  #disposed = false;

  /** @param deletes whether documents that the feed does not have are deleted */
  constructor(feed: PreparedFeed, folder: string, deletes: boolean = true) {
    this.#feed = feed;
    this.#mayDelete = deletes;
    this.#before = new DocumentList(join(folder, `before-${plans++}.bson`));
    feed.table.clear(itemFlag.seen);
    feed.kept?.clear();
  }

  /** Compares one stored document. Call it once for each. */
  readonly take = (bytes: Uint8Array, at: number, end: number): void => {
    const item = this.#compare(bytes, at, end);
    if (item !== -1) this.#feed.table.set(item, itemFlag.seen);
  };

  /** Compares a stored document. Returns the item that has its key, or -1. */
  #compare(bytes: Uint8Array, at: number, end: number): number {
    const feed = this.#feed;
    const comparison = feed.compare(bytes, at, end);
    const { found } = feed;
    if (comparison === 'missing') this.#delete(bytes, at, end);
    else {
      feed.kept?.note(found);
      if (comparison === 'changed') this.#update(found, bytes, at, end);
    }
    return found;
  }

  /** Call it after the last stored document was taken. */
  finish(): void {
    const { table } = this.#feed;
    for (let item = 0; item < table.count; item++) if (!table.is(item, itemFlag.seen)) this.#inserts.push(item);
  }

  /**
   * Compares these keys again. `read` calls back with each of their documents that is in the collection now.
   *
   * The plan for other keys stays, so the cost depends on the number of touched keys, not on the collection's size.
   *
   * @returns the `_id` element of each touched key that would be inserted
   */
  async retouch(keys: TouchedKeys, read: (take: typeof this.take) => Promise<void>): Promise<Uint8Array[]> {
    if (keys.size === 0) return [];
    const items = new Set<number>();
    for (const element of keys.values()) {
      const item = this.#feed.find(bareElement(element));
      if (item !== -1) items.add(item);
    }
    this.#forget(keys, items);
    for (const item of items) this.#feed.kept?.forget(item);
    const missing = new Set(items);
    await read((bytes, at, end) => void missing.delete(this.#compare(bytes, at, end)));
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

  /** How many documents of the collection belong to the mirror. */
  get stored(): number {
    return this.#feed.table.count - this.#inserts.length + this.#deletes.length;
  }

  get updates(): number {
    return this.#updates.length;
  }

  /** The item that replaces the stored document in this update. */
  updated(index: number): number {
    return this.#updates.at(index);
  }

  /** The stored document that this update replaces. Valid until the next call, like all documents of this class. */
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

  #delete(bytes: Uint8Array, at: number, end: number): void {
    if (this.#mayDelete) this.#deletes.push(this.#before.push(bytes, at, end));
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

  /** Returns a copy that the caller may keep. */
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

/** Numbers the files of the plans: a thread may hold several plans of one run at the same time. */
let plans = 0;
