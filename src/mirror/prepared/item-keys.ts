/** Finds items by the hash of a key: 10 to 20 bytes per item, outside the JavaScript heap. The keys are not stored. */
import { KeyedHash } from '../bson/keyed-hash.ts';
import { IntList } from './lists.ts';

export class ItemKeys {
  readonly #keyed = new KeyedHash();
  readonly #items = new IntList();
  readonly #hashes = new IntList();
  /** Entry + 1, or 0 if the slot is free. */
  #slots = new Int32Array(1024);

  /**
   * Returns an earlier item with this key, or adds the key of the item and returns -1. `hasKey` tells whether an earlier
   * item has the key.
   */
  take(item: number, key: string, hasKey: (item: number, key: string) => boolean): number {
    const { hash, slot, earlier } = this.#seek(key, hasKey);
    if (earlier !== -1) return earlier;
    this.#items.push(item);
    this.#hashes.push(hash);
    this.#slots[slot] = this.#items.length;
    if (this.#items.length * 3 > this.#slots.length * 2) this.#rehash();
    return -1;
  }

  /** Returns an item with this key, or -1. */
  find(key: string, hasKey: (item: number, key: string) => boolean): number {
    return this.#seek(key, hasKey).earlier;
  }

  #seek(
    key: string,
    hasKey: (item: number, key: string) => boolean,
  ): { readonly hash: number; readonly slot: number; readonly earlier: number } {
    const bytes = Buffer.from(key, 'latin1');
    const hash = this.#keyed.hash(bytes, 0, bytes.length);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]! - 1;
      if (this.#hashes.at(entry) !== hash) continue;
      const earlier = this.#items.at(entry);
      if (hasKey(earlier, key)) return { hash, slot, earlier };
    }
    return { hash, slot, earlier: -1 };
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let entry = 0; entry < this.#items.length; entry++) {
      let slot = this.#hashes.at(entry) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }
}
