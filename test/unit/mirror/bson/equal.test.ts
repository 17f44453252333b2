import { expect } from 'chai';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { equalDocuments } from '#quiesce/mirror/bson/equal.js';

const { Decimal128, Double, Int32, Long } = BSON;

function equal(a: BSON.Document, b: BSON.Document, ordered = false): boolean {
  const [left, right] = [BSON.serialize(a), BSON.serialize(b)];
  const result = equalDocuments(left, 0, right, 0, ordered);
  expect(equalDocuments(right, 0, left, 0, ordered)).to.equal(result);
  return result;
}

describe('two documents', () => {
  it('are the same whatever the order of their members, unless order is asked for', () => {
    const a = { _id: 1, x: { p: 1, q: [{ r: 1, s: 2 }] }, y: 'z' };
    const b = { _id: 1, y: 'z', x: { q: [{ s: 2, r: 1 }], p: 1 } };
    expect(equal(a, b)).to.equal(true);
    expect(equal(a, b, true)).to.equal(false);
    expect(equal(a, a, true)).to.equal(true);
  });

  it('differ where an array has another order', () => {
    expect(equal({ a: [1, 2] }, { a: [2, 1] })).to.equal(false);
  });

  it('have equal numbers whatever their types, but no zero equals a negative one, and no decimal a double', () => {
    expect(equal({ a: new Int32(5) }, { a: new Double(5) })).to.equal(true);
    expect(equal({ a: new Int32(5) }, { a: Long.fromNumber(5) })).to.equal(true);
    expect(equal({ a: Long.fromString('9007199254740993') }, { a: new Double(9007199254740992) })).to.equal(false);
    expect(equal({ a: new Int32(0) }, { a: new Double(-0) })).to.equal(false);
    expect(equal({ a: new Double(0) }, { a: new Double(-0) })).to.equal(false);
    expect(equal({ a: new Int32(5) }, { a: Decimal128.fromString('5') })).to.equal(false);
    expect(equal({ a: 1 }, { a: '1' })).to.equal(false);
    expect(equal({ a: 1 }, { a: true })).to.equal(false);
  });

  it('differ where one has more members', () => {
    expect(equal({ a: 1, b: 2 }, { b: 2 })).to.equal(false);
    expect(equal({ b: 2, c: 3 }, { a: 1, b: 2, c: 3 })).to.equal(false);
    expect(equal({}, { a: null })).to.equal(false);
  });

  it('are the same exactly when they are deeply equal', () => {
    const value = fc.object({
      maxDepth: 2,
      key: fc.constantFrom('a', 'b', 'c'),
      values: [fc.constantFrom(0, 1, 'x', null, true)],
    });
    fc.assert(
      fc.property(value, value, (a, b) => {
        let deeply = true;
        try {
          expect(a).to.deep.equal(b);
        } catch {
          deeply = false;
        }
        expect(equal(a, b)).to.equal(deeply);
      }),
      { numRuns: 5000 },
    );
  });
});
