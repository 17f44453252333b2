import { expect } from 'chai';
import { KeyedHash } from '#quiesce/mirror/bson/keyed-hash.js';

describe('the keyed hash', () => {
  it('is HalfSipHash-1-3, by the vectors of the Linux kernel', () => {
    const hash = new KeyedHash(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]));
    const bytes = Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]);
    const vectors = [0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6];
    vectors.forEach((vector, length) => expect(hash.hash(bytes, 0, length) >>> 0).to.equal(vector));
  });

  it('is another with each key', () => {
    const name = Buffer.from('name');
    expect(new KeyedHash().hash(name, 0, 4)).to.not.equal(new KeyedHash().hash(name, 0, 4));
  });

  it('spreads names that collide in FNV, whatever the upper bits of its seed', () => {
    const seed = 5 * 128;
    const names = collidingNames(seed, 10);
    for (const other of [seed, seed + 128 * 12_345])
      expect(new Set(names.map((name) => hashFnv(name, other))).size).to.equal(1);
    const keyed = new KeyedHash();
    const hashes = names.map((name) => keyed.hash(Buffer.from(name), 0, name.length));
    expect(new Set(hashes).size).to.be.above(names.length - 10);
    expect(new Set(hashes.map((hash) => hash & 0xfff)).size, 'of 4,096 places').to.be.above(800);
  });
});

function hashFnv(name: string, from: number): number {
  let hash = from | 0;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash;
}

/**
 * 2^blocks names. With bytes below 128 the exclusive or adds a number that depends on the lowest seven bits alone, so
 * two blocks that collide for one seed do so for each with the same seven bits; one such pair is put behind another.
 */
function collidingNames(seed: number, blocks: number): string[] {
  let names = [''];
  let state = seed;
  for (let block = 0; block < blocks; block++) {
    const seen = new Map<number, string>();
    for (let n = 0; ; n++) {
      const text = String.fromCharCode(...[0, 6, 12, 18].map((shift) => 48 + (((n * 7919) >> shift) & 63)));
      const hash = hashFnv(text, state);
      const twin = seen.get(hash);
      if (twin !== undefined) {
        names = names.flatMap((name) => [name + twin, name + text]);
        state = hash;
        break;
      }
      seen.set(hash, text);
    }
  }
  return names;
}
