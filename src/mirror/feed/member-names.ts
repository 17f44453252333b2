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

/** How many members of the former object may be missing between two of this one. */
const mostSkipped = 8;

/** The names of a former object, which all differ. */
interface Former {
  readonly bytes: Buffer;
  /** Where each name ends in `bytes`, and the next one starts. */
  readonly ends: Int32Array;
}

/** The open object of one level. */
class Level {
  base = 0;
  /** null while the object has few names, or follows the former one. */
  table: Int32Array | null = null;
  /** An object with many names. */
  former: Former | null = null;
  /** How many names of the former object this one has passed; -1 if it has a name that does not follow. */
  passed = -1;
  /** How many objects with many names did not follow. */
  misses = 0;
}

/**
 * Whether the name follows in the former object. Names that follow, in the same order, differ as those of the former
 * object do, so they need no hash: most objects of a feed have the members of the one before.
 */
function follows(open: Level, bytes: Uint8Array, start: number, end: number): boolean {
  const { bytes: names, ends } = open.former!;
  const last = Math.min(ends.length, open.passed + 1 + mostSkipped);
  let from = open.passed === 0 ? 0 : ends[open.passed - 1]!;
  for (let i = open.passed; i < last; i++) {
    const to = ends[i]!;
    if (equalBytes(bytes, start, end, names, from, to)) {
      open.passed = i + 1;
      return true;
    }
    from = to;
  }
  return false;
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}

/** Most names that differ have different marks. */
function markOf(bytes: Uint8Array, start: number, end: number): number {
  return start === end ? 0 : ((end - start) << 16) ^ (bytes[start]! << 8) ^ bytes[end - 1]!;
}

export class MemberNames {
  #hashes = new Int32Array(256);
  #starts = new Int32Array(256);
  #ends = new Int32Array(256);
  readonly #keyed = new KeyedHash();
  readonly #levels: Level[] = [];
  /** The top of the stack. Each object starts at the current value and restores it when it ends. */
  top = 0;

  /** Call it at the start of each object, with its level. */
  open(level: number): void {
    while (level >= this.#levels.length) this.#levels.push(new Level());
    const open = this.#levels[level]!;
    open.base = this.top;
    open.table = null;
    open.passed = open.former === null ? -1 : 0;
  }

  /** Call it at the end of the object. */
  close(out: BsonOutput, level: number): void {
    const open = this.#levels[level]!;
    // Objects of two kinds in turn do not follow each other: remembering each of them would cost more than it saves.
    if (open.table !== null && isPowerOfTwo(++open.misses)) open.former = this.#formerOf(out.bytes, open.base);
    this.top = open.base;
  }

  /** Adds a name to the object of this level. Returns false if the object already has the name. */
  add(out: BsonOutput, start: number, end: number, level: number): boolean {
    const { bytes } = out;
    const open = this.#levels[level]!;
    const { base } = open;
    if (open.passed !== -1) {
      if (follows(open, bytes, start, end)) {
        this.#push(0, start, end);
        return true;
      }
      open.passed = -1;
      const few = Math.min(this.top, base + linear);
      for (let i = base; i < few; i++) this.#hashes[i] = markOf(bytes, this.#starts[i]!, this.#ends[i]!);
    }
    const { top } = this;
    if (top - base < linear) {
      const mark = markOf(bytes, start, end);
      this.#push(mark, start, end);
      for (let i = base; i < top; i++) if (this.#hashes[i] === mark && this.#same(bytes, i, start, end)) return false;
      return true;
    }
    const hash = this.#keyed.hash(bytes, start, end);
    this.#push(hash, start, end);
    const slots = this.#tableOf(bytes, open);
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const i = base + slots[slot]! - 1;
      if (this.#hashes[i] === hash && this.#same(bytes, i, start, end)) return false;
    }
    this.#insert(slots, top, base);
    return true;
  }

  /** Returns the table of all names but the newest, with room for that. */
  #tableOf(bytes: Uint8Array, open: Level): Int32Array {
    const { base, table } = open;
    const newest = this.top - 1;
    if (table !== null && (newest - base) * 2 <= table.length) return table;
    if (table === null)
      for (let i = base; i < newest; i++) this.#hashes[i] = this.#keyed.hash(bytes, this.#starts[i]!, this.#ends[i]!);
    let size = table === null ? 128 : table.length;
    while ((newest - base) * 2 > size) size *= 2;
    const slots = new Int32Array(size);
    for (let i = base; i < newest; i++) this.#insert(slots, i, base);
    return (open.table = slots);
  }

  #push(hash: number, start: number, end: number): void {
    if (this.top === this.#hashes.length) this.#grow();
    const { top } = this;
    this.#hashes[top] = hash;
    this.#starts[top] = start;
    this.#ends[top] = end;
    this.top++;
  }

  #formerOf(bytes: Buffer, base: number): Former {
    const names: Buffer[] = [];
    const ends = new Int32Array(this.top - base);
    let length = 0;
    for (let i = base; i < this.top; i++) {
      names.push(bytes.subarray(this.#starts[i], this.#ends[i]));
      ends[i - base] = length += this.#ends[i]! - this.#starts[i]!;
    }
    return { bytes: Buffer.concat(names), ends };
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
