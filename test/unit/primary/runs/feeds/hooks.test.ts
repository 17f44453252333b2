import { expect } from 'chai';
import { QuiesceError } from '#quiesce/errors.js';
import type { OutgoingMessage } from '#quiesce/primary/ports.js';
import { RunHooks } from '#quiesce/primary/runs/feeds/hooks.js';
import { mustRunBefore } from '#quiesce/primary/runs/history/report.js';
import type { Work } from '#quiesce/primary/runs/history/report.js';

const worker = { slot: 1, incarnation: 4 };
const counts = { inserted: 1, updated: 0, deleted: 0, unchanged: 0 };

describe('before and after of a mirror', () => {
  function setUp(hooks: ('before' | 'after')[], { timeout = 5_000, isThere = true } = {}) {
    const sent: OutgoingMessage[] = [];
    const runHooks = new RunHooks(() => timeout);
    runHooks.connect((_worker, message) => isThere && sent.push(message) > 0);
    const work = { caller: { worker, hooks }, written: { counts, keys: ['a'] } } as unknown as Work;
    let journal = 0;
    const before = (): Promise<string> =>
      runHooks
        .before('r', work, 7, async () => void journal++)
        .then(
          () => 'done',
          (error: QuiesceError) => `${error.code}: ${error.message}`,
        );
    return { runHooks, work, sent, before, journal: () => journal };
  }
  const problem = new QuiesceError('run-failed', 'no lock').toProblem();

  it('are called in the worker that got the feed; only then may be written', async () => {
    const { runHooks, work, sent, before, journal } = setUp(['before', 'after']);
    const done = before();
    expect(sent).to.deep.equal([{ type: 'run-hook', epoch: 7, run: 'r', hook: 'before' }]);
    expect(mustRunBefore(work)).to.equal(true);
    runHooks.ended({ slot: 0, incarnation: 4 }, 'r', 'before', undefined); // somebody else's word counts for nothing
    expect(journal()).to.equal(0);
    runHooks.ended(worker, 'r', 'before', undefined);
    expect([await done, journal(), mustRunBefore(work)]).to.deep.equal(['done', 1, false]);
    const after = runHooks.after('r', work, 7);
    expect(sent[1]).to.deep.equal({ type: 'run-hook', epoch: 7, run: 'r', hook: 'after', counts, keys: ['a'] });
    runHooks.ended(worker, 'r', 'after', undefined);
    await after;
    expect(work.afterError).to.equal(undefined);
  });

  it('end the run where before fails, its worker goes or is gone, it takes too long, or the run is cancelled', async () => {
    const failed = setUp(['before']);
    const first = failed.before();
    failed.runHooks.ended(worker, 'r', 'before', problem);
    expect(await first).to.equal('run-failed: before of mirror() failed: no lock. Nothing was written.');
    expect(mustRunBefore(failed.work)).to.equal(true);
    const dies = setUp(['before']);
    const second = dies.before();
    dies.runHooks.gone(worker);
    expect(await second).to.include('the worker that got the feed has gone. Nothing was written.');
    expect(await setUp(['before'], { isThere: false }).before()).to.include('has gone');
    expect(await setUp(['before'], { timeout: 1 }).before()).to.include('it was not done in time');
    const cancelled = setUp(['before']);
    const third = cancelled.before();
    cancelled.runHooks.cancel('r');
    expect(await third).to.include('or the run was cancelled');
  });

  it('leave the mirror as it is where after fails', async () => {
    const { runHooks, work } = setUp(['after']);
    const after = runHooks.after('r', work, 7);
    runHooks.ended(worker, 'r', 'after', problem);
    await after;
    expect(work.afterError?.message).to.equal('after of mirror() failed: no lock. The mirror stays as it is.');
  });

  it('are not called where there are none, and not for a run of an earlier primary', async () => {
    const none = setUp([]);
    expect(await none.before()).to.equal('done');
    await none.runHooks.after('r', none.work, 7);
    expect(none.sent).to.deep.equal([]);
    const restored = setUp(['after']);
    restored.work.begunBefore = true;
    await restored.runHooks.after('r', restored.work, 7);
    expect(restored.sent).to.deep.equal([]);
  });
});
