import { expect } from 'chai';
import { changedNumber } from '#quiesce/worker/feed/items/exact-numbers.js';

describe('a number that JavaScript would change', () => {
  it('is found, and no other', () => {
    expect(changedNumber('{"a":9007199254740993}')).to.equal('9007199254740993');
    expect(changedNumber('{"a":[1,{"b":-12345678901234567890}]}')).to.equal('-12345678901234567890');
    expect(changedNumber('{"a":1e999}')).to.equal('1e999');
    for (const text of [
      '{"a":1,"b":2.5e3}',
      '{"a":"9007199254740993","b\\"":"1e999"}',
      '{"a":505874924095815700}',
      '{}',
    ])
      expect(changedNumber(text), text).to.equal(null);
  });
});
