import { expect } from 'chai';
import { BSON, Long, ObjectId } from 'mongodb';
import { changedKeys } from '#quiesce/mirror/changed-keys.js';

/** As a plan has them: the `_id` element of each document. */
const plan = (ids: unknown[]): Parameters<typeof changedKeys>[0] => ({
  size: ids.length,
  *keys() {
    for (const _id of ids) yield BSON.serialize({ _id }).subarray(4, -1);
  },
});

describe('the keys that a run has changed', () => {
  it('are as the feed has them', () => {
    const id = new ObjectId('65f000000000000000000001');
    const keys = changedKeys(plan(['a', '1234567890123456789', 7, true, { a: 1, b: 'x' }, id]));
    expect(keys).to.deep.equal(['a', '1234567890123456789', 7, true, { a: 1, b: 'x' }, { $oid: String(id) }]);
    expect(changedKeys(plan([]))).to.deep.equal([]);
  });

  it('are not told where they are too many, too long, or would lose digits', () => {
    expect(changedKeys(plan(Array.from({ length: 1_000 }, (_, index) => index)))).to.have.lengthOf(1_000);
    expect(changedKeys(plan(Array.from({ length: 1_001 }, (_, index) => index)))).to.equal(null);
    expect(changedKeys(plan(['x'.repeat(70_000)]))).to.equal(null);
    expect(changedKeys(plan([Long.fromString('9007199254740993')]))).to.equal(null);
  });
});
