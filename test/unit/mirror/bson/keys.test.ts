import { expect } from 'chai';
import { BSON } from 'mongodb';
import { Elements } from '#quiesce/mirror/bson/elements.js';
import { KeyedHash } from '#quiesce/mirror/bson/keyed-hash.js';
import { equalKeys, hashKey, showKey } from '#quiesce/mirror/bson/keys.js';
import { keyClasses } from './key-classes.ts';

function keyOf(value: unknown): Elements {
  const element = new Elements(BSON.serialize({ _id: value }), 0);
  element.next();
  return element;
}

const hash = new KeyedHash();

function hashOf({ bytes, type, value, end }: Elements): number {
  return hashKey(hash, bytes, type, value, end);
}

function areEqual(a: Elements, b: Elements): boolean {
  return equalKeys(a.bytes, a.type, a.value, a.end, b.bytes, b.type, b.value, b.end);
}

describe('a key', () => {
  it('equals every other form of the same value, and no other value', () => {
    keyClasses.forEach((forms, i) => {
      keyClasses.forEach((others, j) => {
        for (const form of forms) {
          for (const other of others) {
            const [a, b] = [keyOf(form), keyOf(other)];
            expect(areEqual(a, b), `${i} ${j} ${String(form)} ${String(other)}`).to.equal(i === j);
            if (i === j) expect(hashOf(a)).to.equal(hashOf(b));
          }
        }
      });
    });
  });

  it('is shown as it would be written', () => {
    const show = (value: unknown): string => {
      const { bytes, type, value: at, end } = keyOf(value);
      return showKey(bytes, type, at, end);
    };
    expect(show('a"b')).to.equal('"a\\"b"');
    expect(show(5)).to.equal('5');
    expect(show(1.5)).to.equal('1.5');
    expect(show({ a: true })).to.equal('{"a":true}');
    expect(show('x'.repeat(1000)).length).to.be.lessThan(250);
  });
});
