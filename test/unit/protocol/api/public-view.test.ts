import { expect } from 'chai';
import { publicProblem, publicRun } from '#quiesce/protocol/api/public-view.js';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';

const secret = '/reset/s3cret';
const error = {
  type: 'urn:quiesce:problem:drain-timeout',
  title: 'x',
  status: 503,
  detail: 'y',
  code: 'drain-timeout',
  waitingFor: [
    { slot: 0, method: 'GET', path: secret, route: '/reset/:token', age: 1 },
    { slot: 1, method: 'GET', path: secret, age: 1 },
  ],
};
const run: RunRecord = {
  id: 'r',
  kind: 'exclusive',
  state: 'failed',
  startedAt: '2026-01-01T00:00:00.000Z',
  error,
  owner: { slot: 0, incarnation: 1, method: 'POST', path: secret },
};

describe('what everybody may read of a run', () => {
  it('has the route of a request, and not its path', () => {
    const shown = publicRun(run);
    expect(JSON.stringify(shown)).to.not.include('s3cret');
    expect(shown.error?.['waitingFor']).to.deep.equal([
      { slot: 0, method: 'GET', path: '/reset/:token', route: '/reset/:token', age: 1 },
      { slot: 1, method: 'GET', path: '…', age: 1 },
    ]);
    expect(JSON.stringify(run), 'the record itself is left alone').to.include('s3cret');
  });

  it('tells where a feed was sent to', () => {
    const owner = { slot: 0, incarnation: 1, method: 'PUT', path: '/api/sync' };
    expect(publicRun({ ...run, kind: 'sync', owner }).owner).to.deep.equal(owner);
  });

  it('leaves problems that name no requests as they are', () => {
    expect(publicProblem({ code: 'stopping' })).to.deep.equal({ code: 'stopping' });
  });
});
