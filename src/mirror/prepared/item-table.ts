/**
 * Keeps the data that the comparison needs for each item in typed arrays: about 40 bytes per item, outside the
 * JavaScript heap.
 *
 * The items are in segments, so that the table grows without copying. One hash table with open addressing finds an item
 * by the hash of its key.
 */
const segmentBits = 16;
const segmentSize = 1 << segmentBits;
const segmentMask = segmentSize - 1;

class Segment {
  readonly keyHash = new Int32Array(segmentSize);
  readonly printA = new Int32Array(segmentSize);
  readonly printB = new Int32Array(segmentSize);
  readonly offset = new Float64Array(segmentSize);
  readonly length = new Int32Array(segmentSize);
  readonly flags = new Uint8Array(segmentSize);
}

/** Bits of an item's flags. */
export const itemFlag = {
  /** A top-level name starts with `$`. */
  dollar: 1,
  /** The collection has the item. */
  seen: 2,
} as const;

export class ItemTable {
  count = 0;
  readonly #segments: Segment[] = [];
  /** Item + 1, or 0 if the slot is free. */
  #slots = new Int32Array(1024);

  /** Returns the first item with this key hash for which `isSame` is true, or -1. */
  find(keyHash: number, isSame: (item: number) => boolean): number {
    const mask = this.#slots.length - 1;
    for (let slot = keyHash & mask; ; slot = (slot + 1) & mask) {
      const item = this.#slots[slot]! - 1;
      if (item === -1) return -1;
      if (this.#segments[item >>> segmentBits]!.keyHash[item & segmentMask] === keyHash && isSame(item)) return item;
    }
  }

  add(keyHash: number, printA: number, printB: number, offset: number, length: number, flags: number): number {
    const item = this.count++;
    if ((item & segmentMask) === 0) this.#segments.push(new Segment());
    const segment = this.#segments[item >>> segmentBits]!;
    const index = item & segmentMask;
    segment.keyHash[index] = keyHash;
    segment.printA[index] = printA;
    segment.printB[index] = printB;
    segment.offset[index] = offset;
    segment.length[index] = length;
    segment.flags[index] = flags;
    if (this.count * 3 > this.#slots.length * 2) this.#rehash();
    else this.#insert(item, keyHash);
    return item;
  }

  offset(item: number): number {
    return this.#segments[item >>> segmentBits]!.offset[item & segmentMask]!;
  }

  length(item: number): number {
    return this.#segments[item >>> segmentBits]!.length[item & segmentMask]!;
  }

  hasPrint(item: number, printA: number, printB: number): boolean {
    const segment = this.#segments[item >>> segmentBits]!;
    const index = item & segmentMask;
    return segment.printA[index] === printA && segment.printB[index] === printB;
  }

  is(item: number, flag: number): boolean {
    return (this.#segments[item >>> segmentBits]!.flags[item & segmentMask]! & flag) !== 0;
  }

  set(item: number, flag: number): void {
    this.#segments[item >>> segmentBits]!.flags[item & segmentMask]! |= flag;
  }

  /** Clears a flag of every item. */
  clear(flag: number): void {
    for (const { flags } of this.#segments) for (let i = 0; i < flags.length; i++) flags[i]! &= ~flag;
  }

  #insert(item: number, keyHash: number): void {
    const mask = this.#slots.length - 1;
    let slot = keyHash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = item + 1;
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let item = 0; item < this.count; item++) {
      this.#insert(item, this.#segments[item >>> segmentBits]!.keyHash[item & segmentMask]!);
    }
  }
}
