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

  it('keeps the last runs of each kind, however many there are of another', async () => {
    const dir = scratch();
    const store = await RunStore.open(dir, log, 5);
    const startedAt = new Date(0).toISOString();
    const ids = (prefix: string, count: number): string[] =>
      Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, '0')}`);
    store.add({ id: 'a-feed', kind: 'sync', state: 'uploading', startedAt });
    await store.end('a-feed', { state: 'succeeded' });
    store.add({ id: 'b-feed', kind: 'sync', state: 'running', startedAt }); // has not ended
    for (const id of ids('c', 7)) {
      store.add({ id, kind: 'exclusive', state: 'running', startedAt });
      void store.end(id, { state: 'succeeded' });
    }
    await store.flush();
    const outline = (runs: readonly { id: string }[]): string => {
      const list = runs.map(({ id }) => id).toSorted();
      return [...list.slice(0, 3), '…', list.at(-1), `${list.length} in all`].join(' ');
    };
    expect(outline(store.list(1000))).to.equal('a-feed b-feed c0002 … c0006 7 in all');
    // What has not ended is in memory only.
    expect(outline((await RunStore.open(dir, log, 5)).list(1000))).to.equal('a-feed c0002 c0003 … c0006 6 in all');
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
