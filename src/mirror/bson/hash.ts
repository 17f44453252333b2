/**
 * Computes two 32-bit hashes of a range of bytes in one pass, in the manner of MurmurHash3: each lane has its own
 * constants, and both have a random seed for each run. For fingerprints only: a table needs {@link KeyedHash}.
 */
export class Hasher {
  readonly #seedA: number;
  readonly #seedB: number;
  /** The results of the last call, as signed 32-bit integers. */
  a = 0;
  b = 0;

  constructor(seedA: number, seedB: number) {
    this.#seedA = seedA | 0;
    this.#seedB = seedB | 0;
  }

  hash(bytes: Uint8Array, start: number, end: number): void {
    let a = this.#seedA;
    let b = this.#seedB;
    const blocks = start + ((end - start) & ~3);
    let at = start;
    for (; at < blocks; at += 4) {
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      let k = Math.imul(word, 0xcc9e2d51);
      k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
      a ^= k;
      a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
      k = Math.imul(word, 0x239b961b);
      k = Math.imul((k << 16) | (k >>> 16), 0xab0e9789);
      b ^= k;
      b = (Math.imul((b << 17) | (b >>> 15), 5) + 0x0bcaa747) | 0;
    }
    let tail = 0;
    for (let shift = 0; at < end; at++, shift += 8) tail |= bytes[at]! << shift;
    this.#finish(a, b, tail, end - start);
  }

  #finish(laneA: number, laneB: number, tail: number, length: number): void {
    let k = Math.imul(tail, 0xcc9e2d51);
    let a = laneA ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593) ^ length;
    k = Math.imul(tail, 0x239b961b);
    let b = laneB ^ Math.imul((k << 16) | (k >>> 16), 0xab0e9789) ^ length;
    a ^= b >>> 1;
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
    a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
    this.a = a ^ (a >>> 16);
    b = Math.imul(b ^ (b >>> 16), 0x7feb352d);
    b = Math.imul(b ^ (b >>> 15), 0x846ca68b);
    this.b = b ^ (b >>> 16);
  }
}
