import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import pino from 'pino';
import { RunStore } from '#quiesce/primary/runs/history/history.js';
import { newRunId } from '#quiesce/primary/runs/history/id.js';
import { scratchFolders } from '../../../scratch.ts';

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

  it('gives a new run an id after all that it knows, also after a restart and of other hosts, though the clock was set back', async () => {
    const dir = scratch();
    const store = await RunStore.open(dir, log);
    const now = new Date('2026-11-22T03:15:00Z');
    const earlier = new Date('2026-11-22T02:15:00Z');
    const add = async (to: RunStore, at: Date): Promise<string> => {
      const id = to.newId(at);
      to.add({ id, kind: 'sync', state: 'uploading', startedAt: at.toISOString() });
      await to.end(id, { state: 'succeeded' });
      return id;
    };
    const ids = [await add(store, now), await add(store, earlier), await add(store, now)];
    const restarted = await RunStore.open(dir, log);
    ids.push(await add(restarted, earlier));
    const other = newRunId(new Date('2026-11-22T04:00:00Z'), null);
    restarted.addOther({ id: other, kind: 'sync', state: 'running', startedAt: now.toISOString() });
    ids.push(other, await add(restarted, now));
    const unseen = newRunId(new Date('2026-11-22T05:00:00Z'), null);
    restarted.heardOf(unseen);
    restarted.heardOf(ids[0]!);
    ids.push(unseen, await add(restarted, now));
    expect(ids).to.deep.equal([...new Set(ids)].toSorted());
    expect(restarted.last?.id).to.equal(ids.at(-1));
    expect((await RunStore.open(dir, log)).newId(new Date('2026-11-23T00:00:00Z'))).to.match(/^20261123t000000000-/);
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

  it('is in order, whatever order the runs of this host and of the others come and go in', async () => {
    const startedAt = new Date(0).toISOString();
    const kept = 4;
    const id = fc.integer({ min: 0, max: 30 }).map((time) => `t${String(time).padStart(2, '0')}`);
    const step = fc.oneof(
      fc.record({ does: fc.constantFrom('add', 'remove', 'end'), id }),
      fc.record({ does: fc.constantFrom('other', 'other-ended'), id }),
    );
    const stored = scratch();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const store = await RunStore.open(mkdtempSync(join(stored, 'runs-')), log, kept);
        for (const { does, id } of steps) {
          const run = { id, kind: 'sync', state: 'running', startedAt } as const;
          if (does === 'add' && store.own(id) === undefined) store.add(run);
          else if (does === 'remove') store.remove(id);
          else if (does === 'end') void store.end(id, { state: 'succeeded' });
          else if (does !== 'add') store.addOther(does === 'other' ? run : { ...run, state: 'failed' });
        }
        await store.flush();
        const ids = store.list(1_000).map((run) => run.id);
        expect(ids).to.deep.equal([...new Set(ids)].toSorted().toReversed());
        for (const each of ids) expect(store.get(each)?.id).to.equal(each);
        expect(store.last?.id).to.equal(ids[0]);
        expect(store.list(3).map((run) => run.id)).to.deep.equal(ids.slice(0, 3));
        const all = Array.from({ length: 31 }, (_, time) => `t${String(time).padStart(2, '0')}`);
        expect(all.filter((each) => store.get(each) !== undefined).toReversed()).to.deep.equal(ids);
        const isDone = (run: { id: string; state: string }): boolean =>
          run.state === 'failed' && store.own(run.id) === undefined;
        expect(store.list(1_000, isDone).length).to.be.at.most(kept);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps when the feed of a run was confirmed, and tells those who want to know that alone', async () => {
    const dir = scratch();
    const store = await RunStore.open(dir, log);
    const told: string[] = [];
    store.onConfirmed(({ id, confirmedAt }) => told.push(`${id} ${confirmedAt}`));
    store.add({ id: 'a', kind: 'sync', state: 'running', startedAt: new Date(0).toISOString() });
    await store.confirm('a', new Date(1));
    expect(store.get('a'), 'it has not ended').to.not.have.property('confirmedAt');
    await store.end('a', { state: 'succeeded' });
    store.onChange(() => told.push('a change'));
    await store.confirm('a', new Date(2));
    await store.confirm('b', new Date(3));
    expect(told).to.deep.equal([`a ${new Date(2).toISOString()}`]);
    expect((await RunStore.open(dir, log)).get('a')?.confirmedAt).to.equal(new Date(2).toISOString());
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
