/**
 * Finds a name that an object has twice: RFC 8259 does not define its meaning, and MongoDB would store both members.
 *
 * The names themselves are in the output. This stack has only their places and hashes, for all open objects.
 */
import { equalBytes } from '../bson/elements.ts';
import { KeyedHash } from '../bson/keyed-hash.ts';
import type { BsonOutput } from '../bson/output.ts';

/** Up to this many names of an object are compared one by one, with a cheap mark instead of a hash. */
const linear = 24;

/** Most names that differ have different marks. */
function markOf(bytes: Uint8Array, start: number, end: number): number {
  return start === end ? 0 : ((end - start) << 16) ^ (bytes[start]! << 8) ^ bytes[end - 1]!;
}

export class MemberNames {
  #hashes = new Int32Array(256);
  #starts = new Int32Array(256);
  #ends = new Int32Array(256);
  readonly #keyed = new KeyedHash();
  /** The top of the stack. Each object starts at the current value and restores it when it ends. */
  top = 0;

  /**
   * Adds a name to the object that started at `base`.
   *
   * @param table the result of the last call for the same object; null at first
   * @returns the hash table of the object, null while it has none, or `undefined` if the object already has the name
   */
  add(
    out: BsonOutput,
    start: number,
    end: number,
    base: number,
    table: Int32Array | null,
  ): Int32Array | null | undefined {
    const { bytes } = out;
    const isFew = this.top - base < linear;
    const hash = isFew ? markOf(bytes, start, end) : this.#keyed.hash(bytes, start, end);
    if (this.top === this.#hashes.length) this.#grow();
    const { top } = this;
    this.#hashes[top] = hash;
    this.#starts[top] = start;
    this.#ends[top] = end;
    this.top++;
    if (isFew) {
      for (let i = base; i < top; i++)
        if (this.#hashes[i] === hash && this.#same(bytes, i, start, end)) return undefined;
      return null;
    }
    let slots = table;
    if (slots === null || (top - base) * 2 > slots.length) {
      if (slots === null)
        for (let i = base; i < top; i++) this.#hashes[i] = this.#keyed.hash(bytes, this.#starts[i]!, this.#ends[i]!);
      slots = new Int32Array(slots === null ? 128 : slots.length * 2);
      for (let i = base; i < top; i++) this.#insert(slots, i, base);
    }
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const i = base + slots[slot]! - 1;
      if (this.#hashes[i] === hash && this.#same(bytes, i, start, end)) return undefined;
    }
    this.#insert(slots, top, base);
    return slots;
  }

  #insert(slots: Int32Array, i: number, base: number): void {
    const mask = slots.length - 1;
    let slot = this.#hashes[i]! & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = i - base + 1;
  }

  #same(bytes: Uint8Array, i: number, start: number, end: number): boolean {
    return equalBytes(bytes, this.#starts[i]!, this.#ends[i]!, bytes, start, end);
  }

  #grow(): void {
    const grown = (old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(old.length * 2);
      larger.set(old);
      return larger;
    };
    this.#hashes = grown(this.#hashes);
    this.#starts = grown(this.#starts);
    this.#ends = grown(this.#ends);
  }
}
