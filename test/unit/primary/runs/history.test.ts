import { expect } from 'chai';
import pino from 'pino';
import { RunStore } from '#quiesce/primary/runs/history.js';
import { scratchFolders } from '../../scratch.ts';

describe('the history of runs', () => {
  const scratch = scratchFolders();
  const log = pino({ level: 'silent' });

  it('tells the next primary the largest epoch that a run has had, whatever database it wrote to', async () => {
    const dir = scratch();
    const store = await RunStore.open(dir, log);
    expect(store.newestEpoch).to.equal(0);
    for (const [id, epoch] of [
      ['a', 41],
      ['b', 7],
    ] as const) {
      store.add({ id, kind: 'sync', state: 'uploading', startedAt: new Date(0).toISOString() });
      store.update(id, { epoch });
      await store.end(id, { state: 'succeeded' });
    }
    expect((await RunStore.open(dir, log)).newestEpoch).to.equal(41);
  });

  it('tells nobody of a claim that is refused', async () => {
    const store = await RunStore.open(scratch(), log);
    const told: string[] = [];
    store.onChange(({ state }) => told.push(state));
    store.add({ id: 'a', kind: 'sync', state: 'uploading', startedAt: new Date(0).toISOString() });
    store.remove('a');
    store.update('a', {});
    expect(told).to.deep.equal([]);
  });
});
