/**
 * HalfSipHash-1-3, the keyed hash of Linux for hash tables on 32-bit machines: without the key, an attacker cannot find
 * names with the same hash. A seed alone does not help: names that collide in FNV or MurmurHash collide with any seed.
 * https://www.aumasson.jp/siphash/siphash.pdf
 */
import { randomBytes } from 'node:crypto';
import { int32At } from './elements.ts';

export class KeyedHash {
  readonly #key0: number;
  readonly #key1: number;

  constructor(key: Buffer = randomBytes(8)) {
    this.#key0 = key.readInt32LE(0);
    this.#key1 = key.readInt32LE(4);
  }

  /** Returns a signed 32-bit integer. */
  hash(bytes: Uint8Array, start: number, end: number): number {
    let v0 = this.#key0;
    let v1 = this.#key1;
    let v2 = 0x6c796765 ^ this.#key0;
    let v3 = 0x74656462 ^ this.#key1;
    const blocks = start + ((end - start) & ~3);
    let tail = (end - start) << 24;
    for (let at = blocks, shift = 0; at < end; at++, shift += 8) tail |= bytes[at]! << shift;
    // The blocks, the tail with the length, and three rounds without input.
    const rounds = ((blocks - start) >> 2) + 4;
    for (let round = 0, at = start; round < rounds; round++, at += 4) {
      const word = at < blocks ? int32At(bytes, at) : at === blocks ? tail : 0;
      if (at === blocks + 4) v2 ^= 0xff;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return v1 ^ v3;
  }
}
