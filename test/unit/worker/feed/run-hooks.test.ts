import { expect } from 'chai';
import { setImmediate as turn } from 'node:timers/promises';
import type { RunHook } from '#quiesce/protocol/workers/messages.js';
import { serveHooks } from '#quiesce/worker/feed/run-hooks.js';
import { answerWith, pause, resume, runtime, sent, tell } from '../fake-primary.ts';

describe('the hooks of a mirror', () => {
  const counts = { inserted: 1, updated: 0, deleted: 0, unchanged: 0 };
  let called: string[];
  const serve = (run: string) =>
    serveHooks(runtime(), run, 'items', {
      before: () => void called.push('before'),
      after: ({ keys }) => void called.push(`after ${JSON.stringify(keys)}`),
    });

  before(() => {
    answerWith(() => ({ value: null }));
    pause();
  });
  after(() => {
    answerWith(() => ({}));
    resume();
  });
  beforeEach(() => {
    called = [];
    sent.length = 0;
  });

  it('are called when the primary requests it, and not once the run has ended', async () => {
    const stop = serve('one');
    expect(await request('one', 'before')).to.equal(null);
    expect(await request('one', 'after')).to.equal(null);
    stop({ state: 'succeeded' });
    expect(called).to.deep.equal(['before', 'after ["a"]']);

    serve('two')({ state: 'failed' });
    serve('three')();
    expect(await request('two', 'after')).to.match(/this worker knows no run two/);
    expect(await request('three', 'after')).to.match(/this worker knows no run three/);
  });

  it('have their after also where the client was told that its run is rolled forward', async () => {
    serve('four')({ state: 'rolling-forward' });
    expect(await request('four', 'after')).to.equal(null);
    expect(called).to.deep.equal(['after ["a"]']);
    expect(await request('four', 'after')).to.match(/this worker knows no run four/);
  });

  /** What the worker answers: null, or what went wrong. */
  async function request(run: string, hook: RunHook): Promise<string | null> {
    sent.length = 0;
    tell({ type: 'run-hook', run, hook, counts, keys: ['a'] });
    for (let turns = 0; turns < 50; turns++) {
      for (const message of sent)
        if (message.type === 'request' && message.body.op === 'hook-ended') {
          expect(message.body).to.include({ run, hook });
          return message.body.problem?.detail ?? null;
        }
      await turn();
    }
    throw new Error('the worker has not answered');
  }
});
