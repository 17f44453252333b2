import { expect } from 'chai';
import fc from 'fast-check';
import { nextStage, PauseWork } from '#quiesce/worker/gate/events/pause-work.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what an app stops in a pause', () => {
  it('is at rest at once where there is nothing to stop, and each time again', () => {
    let stopped = 0;
    const work = new PauseWork(() => void stopped++);
    work.stop();
    expect([work.isStopped, stopped]).to.deep.equal([true, 1]);
    work.start();
    expect(work.isStopped).to.equal(false);
    work.stop();
    expect([work.isStopped, stopped]).to.deep.equal([true, 2]);
  });

  it('is waited for, under the names of its functions, and a failure counts as done', async () => {
    const { error } = console;
    const said: unknown[][] = [];
    console.error = (...args: unknown[]) => void said.push(args);
    try {
      const work = new PauseWork(() => {});
      let end = (): void => {};
      work.onPause(() => new Promise<void>((resolve) => (end = resolve)), 'the queue');
      work.onPause(() => Promise.reject(new Error('no broker')), 'the other');
      work.onPause(() => {
        throw new Error('no timer');
      }, 'the third');
      work.stop();
      await turn();
      expect(work.list().map(({ method, path, route }) => [method, path, route])).to.deep.equal([
        ['onPause', 'the queue', 'the queue'],
      ]);
      expect(work.isStopped).to.equal(false);
      end();
      await turn();
      expect([work.isStopped, work.list()]).to.deep.equal([true, []]);
      expect(said.map(([what]) => what)).to.deep.equal([
        'quiesce: onPause(the third) failed:',
        'quiesce: onPause(the other) failed:',
      ]);
    } finally {
      console.error = error;
    }
  });

  it('is stopped at once where it is added during a pause, and not where it is removed before', async () => {
    const work = new PauseWork(() => {});
    work.stop();
    let calls = 0;
    work.onPause(() => calls++, 'added');
    work.onPause(() => calls++, 'removed')();
    expect(calls, 'after what is running now').to.equal(0);
    await turn();
    expect([calls, work.isStopped]).to.deep.equal([1, true]);
  });

  it('never stops and starts at the same time, takes turns, and ends as is wanted, whatever happens', async () => {
    const move = fc.constantFrom<'stop' | 'start' | 'settle'>('stop', 'start', 'settle', 'settle');
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 40 }), async (moves) => {
        const log: string[] = [];
        const open: { what: string; end: () => void }[] = [];
        const begin = (what: string) => (): Promise<void> => {
          const others = open.filter((each) => each.what !== what);
          if (others.length > 0) throw new Error(`${what} began while ${others[0]!.what} was at work`);
          log.push(what);
          return new Promise((resolve) => open.push({ what, end: resolve }));
        };
        const work = new PauseWork(() => {});
        work.onPause(begin('stop'), 'a');
        work.onResume(begin('start'), 'a');
        let wanted: 'stop' | 'start' = 'start';
        const settle = async (): Promise<void> => {
          open.shift()?.end();
          await turn();
        };
        for (const each of moves) {
          if (each === 'settle') await settle();
          else work[(wanted = each)]();
        }
        while (open.length > 0) await settle();
        expect(work.isStopped).to.equal(wanted === 'stop');
        expect(log).to.deep.equal(log.map((_, index) => (index % 2 === 0 ? 'stop' : 'start')));
      }),
      { numRuns: 100 },
    );
  });

  it('does nothing next where it is as wanted, or still under way', () => {
    expect(nextStage('running', 'stopped')).to.equal('stopping');
    expect(nextStage('stopped', 'running')).to.equal('starting');
    for (const [stage, goal] of [
      ['running', 'running'],
      ['stopped', 'stopped'],
      ['stopping', 'running'],
      ['starting', 'stopped'],
    ] as const)
      expect(nextStage(stage, goal)).to.equal(null);
  });
});
