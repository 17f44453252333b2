/** Who may write, where several think that it is they. */
import { expect } from 'chai';
import { MirrorThread } from '#quiesce/mirror/handle.js';
import { lockDocument } from '../harness/mongodb/document-lock.ts';
import { until } from '../harness/until.ts';
import { refusal, useMirror } from './harness.ts';

describe('the fence of a mirror', function () {
  this.timeout(30_000);
  const mirrors = useMirror();
  let other: MirrorThread;

  beforeEach(() => {
    other = new MirrorThread({ onProgress: () => {}, log: { warn: () => {} } });
  });
  afterEach(() => other.close());

  const fence = (): Promise<Record<string, unknown> | null> =>
    mirrors.db.collection<{ _id: string }>('quiesce.fence').findOne({ _id: 'resources' });

  for (const strategy of ['scan', 'two-phase', 'swap'] as const) {
    it(`keeps out a second primary of the same run that has chosen the same epoch (${strategy})`, async () => {
      await mirrors.mirror([{ id: 1, v: 0 }, { id: 2 }]);
      const job = await mirrors.job([{ id: 1, v: 1 }], { strategy, owner: 'first' });
      const again = { ...job, workDir: `${job.workDir}-of-the-second`, owner: 'second' };
      await mirrors.thread.prepare(job);
      await other.prepare(again);
      await mirrors.thread.write(job.run, 9);
      await mirrors.db.collection<{ _id: number }>('resources').insertOne({ _id: 3 }); // the app is served again
      expect(await refusal(other.write(again.run, 9))).to.include({ code: 'fenced', dirty: false });
      expect(await mirrors.stored()).to.deep.equal([{ _id: 1, v: 1 }, { _id: 3 }]);
    });
  }

  it('keeps it out in the middle of a write as well', async () => {
    const items = Array.from({ length: 6000 }, (_, id) => ({ id, v: 1 }));
    await mirrors.mirror(items.map(({ id }) => ({ id, v: 0 })));
    const job = await mirrors.job(items, { atomic: false, owner: 'first' });
    const again = { ...job, workDir: `${job.workDir}-of-the-second`, owner: 'second' };
    await mirrors.thread.prepare(job);
    await other.prepare(again);
    const unlock = await lockDocument(mirrors, 5500);
    const writing = mirrors.thread.write(job.run, 9);
    await until('the first is in its second batch', async () => (await fence())?.['batches'] === 1);
    expect(await refusal(other.write(again.run, 9))).to.include({ code: 'fenced', dirty: false });
    await unlock();
    expect((await writing).counts.updated).to.equal(6000);
  });

  it('keeps apart the copies that two primaries of one run build for a swap, and leaves none', async () => {
    const copies = async () => {
      const named = { name: /^quiesce\.staging\./ };
      const found = await mirrors.db.listCollections(named, { nameOnly: false }).toArray();
      return found.map(({ info }) => String(info?.uuid));
    };
    await mirrors.mirror([{ id: 1, v: 0 }]);
    const job = await mirrors.job([{ id: 1, v: 1 }], { strategy: 'swap', owner: 'first' });
    const again = { ...job, workDir: `${job.workDir}-of-the-second`, owner: 'second' };
    await mirrors.thread.prepare(job);
    const [first] = await copies();
    await other.prepare(again);
    expect(await copies())
      .to.have.lengthOf(2)
      .and.include(first);
    expect((await other.write(again.run, 9)).strategy).to.equal('swap');
    expect(await copies()).to.deep.equal([]);
    expect(await refusal(mirrors.thread.write(job.run, 9))).to.include({ code: 'fenced', dirty: false });
    expect(await mirrors.stored()).to.deep.equal([{ _id: 1, v: 1 }]);
  });

  it('lets the same primary go on with another thread', async () => {
    const job = await mirrors.job([{ id: 1 }]);
    await mirrors.thread.prepare(job);
    await mirrors.thread.write(job.run, 9);
    const again = { ...job, workDir: `${job.workDir}-of-the-second` };
    expect(await other.prepare(again)).to.include({ needsPause: false, fenceEpoch: 9 });
    expect((await other.write(again.run, 9)).note).to.equal('It had been finished before.');
  });

  it('tells whoever prepares a run which epoch it has, in each database and for each scope', async () => {
    await mirrors.mirror([{ id: 1 }]);
    const epoch = (await fence())?.['epoch'];
    const prepared = await mirrors.thread.prepare(await mirrors.job([{ id: 2 }]));
    expect(prepared.fenceEpoch).to.equal(epoch).and.be.greaterThan(0);
    const scoped = await mirrors.job([{ id: 3 }], { scope: { tenant: 'a' } });
    expect((await mirrors.thread.prepare(scoped)).fenceEpoch).to.equal(0);
  });

  it('is one for each collection and scope, also where a name looks like that of another', async () => {
    const scope = { tenant: 'a' };
    await mirrors.mirror([{ id: 1 }], { scope });
    // Nothing differs, which the mark in the fences has shown.
    await mirrors.thread.prepare(await mirrors.job([{ id: 1 }], { strategy: 'two-phase', scope }));
    await mirrors.thread.prepare(await mirrors.job([{ id: 1, ...scope }], { strategy: 'two-phase' }));
    for (const collection of ['resources mark', 'resources {"tenant":"a"}', 'resources {"tenant":"a"} mark']) {
      const job = await mirrors.job([{ id: 1 }], { collection });
      expect((await mirrors.thread.prepare(job)).fenceEpoch, collection).to.equal(0);
      await mirrors.thread.write(job.run, mirrors.nextEpoch());
    }
    const ids = await mirrors.db
      .collection<{ _id: string }>('quiesce.fence')
      .distinct('_id', { run: { $exists: true } });
    expect(ids).to.have.members([
      'resources {"tenant":"a"}',
      '"resources mark"',
      '"resources {\\"tenant\\":\\"a\\"}"',
      '"resources {\\"tenant\\":\\"a\\"} mark"',
    ]);
  });
});
