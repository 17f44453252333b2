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
});
