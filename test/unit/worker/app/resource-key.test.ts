import { expect } from 'chai';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { Elements } from '#quiesce/mirror/bson/elements.js';
import { keyText } from '#quiesce/mirror/bson/keys.js';
import { decodeKey, encodeKey, keysFromPath } from '#quiesce/worker/app/resource-key.js';

function elementOf(value: unknown): Elements {
  const element = new Elements(BSON.serialize({ k: value }), 0);
  element.next();
  return element;
}

/** Two values have the same exactly when MongoDB takes them for one key. */
function sameness(value: unknown): string {
  const { bytes, type, value: at, end } = elementOf(value);
  return keyText(bytes, type, at, end);
}

const encode = (value: unknown): string => encodeKey(elementOf(value));

describe('keys in URLs', () => {
  it('come back with their type, whatever they are', () => {
    const key = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.double(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double({ min: 2 ** 53, max: 2 ** 63, noNaN: true }),
      fc.boolean(),
      fc.integer().map(String),
      fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String),
      fc.json(),
      fc.constantFrom<unknown>('Infinity', '-Infinity', 'NaN', '-0', '{"$oid":"x"}', '"', '{'),
      fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new BSON.ObjectId(bytes)),
      fc.date({ noInvalidDate: true }),
      fc.double().map((value) => ({ a: value, b: { c: [value] } })),
    );
    fc.assert(
      fc.property(key, (value) => void expect(sameness(decodeKey(encode(value)))).to.equal(sameness(value))),
      { numRuns: 2000 },
    );
  });

  it('keep names that mean something to the driver or to JavaScript, and their order', () => {
    for (const name of ['_bsontype', '__proto__', 'toBSON', 'constructor']) {
      const inner = new Map<string, unknown>([[name, 'ObjectId']]);
      const key = new Map<string, unknown>([
        ['z', 1],
        [name, 1],
        ['10', 2],
        ['2', inner],
      ]);
      expect(sameness(decodeKey(encode(key))), name).to.equal(sameness(key));
    }
  });

  it('are written as a person would write them', () => {
    const keys = [7, 'abc', '7', true, 'true', '', '"x', 505874924095815681n, '505874924095815681'];
    expect(keys.map(encode)).to.deep.equal([
      '7',
      'abc',
      '"7"',
      'true',
      '"true"',
      '',
      '"x',
      '505874924095815681',
      '"505874924095815681"',
    ]);
  });

  it('may mean a text or a number in a path', () => {
    expect(keysFromPath('7')).to.deep.equal(['7', 7]);
    expect(keysFromPath('007')).to.deep.equal(['007']);
    expect(keysFromPath('abc')).to.deep.equal(['abc']);
    const [text, long, ...more] = keysFromPath('505874924095815681');
    expect([text, String(long), more]).to.deep.equal(['505874924095815681', '505874924095815681', []]);
    expect(keysFromPath('505874924095815700')[2]).to.equal(505874924095815700);
    expect(keysFromPath('9223372036854775808')).to.deep.equal(['9223372036854775808']);
  });
});
