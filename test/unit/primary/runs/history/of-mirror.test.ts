import { expect } from 'chai';
import { isOf } from '#quiesce/primary/runs/history/of-mirror.js';
import { publicRun } from '#quiesce/protocol/api/public-view.js';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';

describe('a run of one of several mirrors', () => {
  const run: RunRecord = { id: 'r', kind: 'sync', state: 'succeeded', startedAt: '', collection: 'a', scope: { t: 1 } };

  it('is one of the same collection and scope', () => {
    expect(isOf({ collection: 'a', scope: { t: 1 } })(run)).to.equal(true);
    expect(isOf({ collection: 'a', scope: { t: 2 } })(run)).to.equal(false);
    expect(isOf({ collection: 'a' })(run)).to.equal(false);
    expect(isOf({ collection: 'b', scope: { t: 1 } })(run)).to.equal(false);
    expect(isOf({ collection: 'a', scope: { t: 1 } })({ ...run, kind: 'exclusive' })).to.equal(false);
  });

  it('is one of each where its record is of a version that did not tell', () => {
    const { collection: _, ...old } = run;
    expect(isOf({ collection: 'b' })(old)).to.equal(true);
  });

  it('is shown to everybody without its scope and its source', () => {
    expect(publicRun({ ...run, source: 'http://inside/' })).to.have.all.keys(
      'id',
      'kind',
      'state',
      'startedAt',
      'collection',
    );
  });
});
