import { expect } from 'chai';
import { runFailure } from '#quiesce/primary/runs/requests/end.js';

describe('a run whose drain took too long', () => {
  const rules = { drainTimeout: 300, onDrainTimeout: 'abort', runTimeout: 1, uploadTimeout: 1 } as const;
  const request = { slot: 1, method: 'GET', path: '/secret/word', route: '/secret/:word', age: 900 };

  it('names the requests of this host, without what their clients wrote', () => {
    const error = runFailure('drain-timeout', rules, { waitingFor: [request], hosts: [] });
    expect(error.message).to.equal(
      'After 300 ms not every request had finished, so the run was given up and nothing was changed. Still in flight: GET /secret/:word in worker 1 (900 ms).',
    );
  });

  it('names the hosts that were not at rest, whose requests only they know', () => {
    const error = runFailure('drain-timeout', rules, { waitingFor: [], hosts: ['web-2', 'web-3'] });
    expect(error.message).to.equal(
      'After 300 ms the hosts had not all come to rest, so the run was given up and nothing was changed. Not at rest: web-2, web-3.',
    );
  });
});
