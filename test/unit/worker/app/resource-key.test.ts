import { expect } from 'chai';
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { decodeKey, encodeKey, keysFromPath } from '#quiesce/worker/app/resource-key.js';

describe('keys in URLs', () => {
  it('come back with their type, whatever they are', () => {
    const key = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true }),
      fc.boolean(),
      fc.integer().map(String),
      fc.json(),
    );
    fc.assert(fc.property(key, (value) => void expect(decodeKey(encodeKey(value))).to.equal(value)));
    for (const value of [Infinity, -Infinity, NaN, 'Infinity', '-Infinity', 'NaN'])
      expect(decodeKey(encodeKey(value))).to.deep.equal(value);
    const id = new ObjectId();
    expect(decodeKey(encodeKey(id))).to.deep.equal(id);
  });

  it('are written as a person would write them', () => {
    expect([7, 'abc', '7', true, 'true', '', '"x'].map(encodeKey)).to.deep.equal([
      '7',
      'abc',
      '"7"',
      'true',
      '"true"',
      '',
      '"x',
    ]);
  });

  it('may mean a text or a number in a path', () => {
    expect(keysFromPath('7')).to.deep.equal(['7', 7]);
    expect(keysFromPath('007')).to.deep.equal(['007']);
    expect(keysFromPath('abc')).to.deep.equal(['abc']);
  });
});
