/** Members that the app owns, merges that delete nothing, and keys that are a path or several members. */
import { expect } from 'chai';
import { refusal, useMirror } from './harness.ts';

describe('a mirror with members that the app owns', function () {
  this.timeout(30_000);
  const mirrors = useMirror();
  const keep = ['createdAt', '__v'];
  const docs = (): ReturnType<typeof mirrors.db.collection> => mirrors.db.collection('resources');

  for (const strategy of ['scan', 'two-phase', 'swap'] as const) {
    it(`neither compares nor changes them (${strategy})`, async () => {
      const feed = [
        { id: 1, n: 1, createdAt: 'from the feed' },
        { id: 2, n: 2 },
        { id: 3, $n: 3 },
        { id: 4, n: 4 },
      ];
      expect((await mirrors.mirror(feed, { strategy, keep })).counts).to.include({ inserted: 4 });
      expect(await mirrors.stored()).to.have.deep.nested.property('[0]', { _id: 1, n: 1 });
      await docs().updateMany({}, [{ $set: { createdAt: '$_id', __v: 0 } }]);
      const same = await mirrors.mirror(feed, { strategy, keep });
      expect(same.counts).to.deep.equal({ inserted: 0, updated: 0, deleted: 0, unchanged: 4 });

      const changed = [{ id: 1, n: 10 }, { id: 2, n: 2 }, { id: 3, $n: 30 }, { id: 5 }];
      const job = await mirrors.job(changed, { strategy, keep });
      const prepared = await mirrors.thread.prepare(job);
      expect(prepared.strategy).to.equal(strategy);
      // Written after the comparison, and in a swap after the copy was built.
      await docs().updateOne({ _id: 1 as never }, { $set: { __v: 7 } });
      await docs().updateOne({ _id: 2 as never }, { $set: { __v: 8 }, $unset: { createdAt: '' } });
      const written = await mirrors.thread.write(job.run, mirrors.nextEpoch());
      expect(written.strategy).to.equal(strategy);
      expect(written.counts).to.deep.equal({ inserted: 1, updated: 2, deleted: 1, unchanged: 1 });
      expect(await mirrors.stored()).to.deep.equal([
        { _id: 1, n: 10, createdAt: 1, __v: 7 },
        { _id: 2, n: 2, __v: 8 },
        { _id: 3, $n: 30, createdAt: 3, __v: 0 },
        { _id: 5 },
      ]);
    });

    it(`keeps them where unique values move between documents, and a validator wants them (${strategy})`, async () => {
      await mirrors.mirror([
        { id: 1, n: 'a' },
        { id: 2, n: 'b' },
      ]);
      await docs().updateMany({}, [{ $set: { __v: '$_id' } }]);
      await docs().createIndex({ n: 1 }, { unique: true });
      await mirrors.db.command({ collMod: 'resources', validator: { __v: { $exists: true } } });
      const swapped = [
        { id: 1, n: 'b' },
        { id: 2, n: 'a' },
      ];
      await mirrors.mirror(swapped, { strategy, keep });
      expect(await mirrors.stored()).to.deep.equal([
        { _id: 1, n: 'b', __v: 1 },
        { _id: 2, n: 'a', __v: 2 },
      ]);
      const refused = await refusal(mirrors.mirror([...swapped, { id: 3, n: 'c' }], { strategy, keep }));
      expect(refused.extra['errors']).to.have.nested.property('[0].pointer', '/2');
    });

    it(`takes no member back that has gone with its document (${strategy})`, async () => {
      await mirrors.mirror([{ id: 1 }, { id: 2 }]);
      await docs().updateMany({}, { $set: { __v: 1 } });
      const job = await mirrors.job([{ id: 1 }, { id: 2, n: 1 }, { id: 3 }], { strategy, keep });
      await mirrors.thread.prepare(job);
      await docs().deleteOne({ _id: 2 as never });
      await mirrors.thread.write(job.run, mirrors.nextEpoch());
      expect(await mirrors.stored()).to.deep.equal([{ _id: 1, __v: 1 }, { _id: 2, n: 1 }, { _id: 3 }]);
    });
  }
});

describe('a mirror that deletes nothing', function () {
  this.timeout(30_000);
  const mirrors = useMirror();

  it('merges the feed, by each strategy that can', async () => {
    await mirrors.mirror([{ id: 1 }, { id: 2 }]);
    for (const [n, strategy] of (['scan', 'two-phase', 'auto'] as const).entries()) {
      const { counts } = await mirrors.mirror([{ id: 2, n }], { strategy, deletes: false, maxDeletes: 0 });
      expect(counts).to.deep.equal({ inserted: 0, updated: 1, deleted: 0, unchanged: 0 });
      expect(await mirrors.stored()).to.deep.equal([{ _id: 1 }, { _id: 2, n }]);
    }
    await mirrors.mirror([], { deletes: false });
    expect(await mirrors.stored()).to.have.lengthOf(2);
    const refused = await refusal(mirrors.mirror([], { strategy: 'swap', deletes: false }));
    expect(refused.code).to.equal('bad-config');
  });
});

describe('a key', function () {
  this.timeout(30_000);
  const mirrors = useMirror();

  it('may be a path, and stays where it is', async () => {
    const key = 'sku.id';
    const feed = [{ sku: { id: 7, size: 'L' } }, { sku: { id: '7' } }];
    await mirrors.mirror(feed, { key });
    expect((await mirrors.mirror(feed, { key })).counts).to.include({ unchanged: 2 });
    expect(await mirrors.stored()).to.deep.equal([
      { _id: 7, sku: { id: 7, size: 'L' } },
      { _id: '7', sku: { id: '7' } },
    ]);
    const bad = [{ sku: {} }, { sku: [{ id: 1 }] }, { sku: { id: null } }, { sku: { id: 1 }, _id: 1 }];
    const refused = await refusal(mirrors.mirror(bad, { key }));
    expect((refused.extra['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)).to.deep.equal([
      '/0',
      '/1',
      '/2/sku/id',
      '/3/_id',
    ]);
  });

  it('may be several members, in the order of the option', async () => {
    const key = ['shop', 'sku.id'];
    const feed = [
      { sku: { id: 1 }, shop: 'a' },
      { shop: 'b', sku: { id: 1 } },
    ];
    for (const strategy of ['scan', 'two-phase', 'swap'] as const) {
      await mirrors.mirror(feed, { key, strategy });
      await mirrors.mirror([feed[0], { ...feed[1], n: strategy }], { key, strategy });
      expect(await mirrors.stored()).to.deep.equal([
        { _id: { shop: 'a', 'sku.id': 1 }, ...feed[0] },
        { _id: { shop: 'b', 'sku.id': 1 }, ...feed[1], n: strategy },
      ]);
    }
    const twice = await refusal(mirrors.mirror([feed[0], { shop: 'a', sku: { id: 1.0, n: 2 } }], { key }));
    expect(twice.extra['errors']).to.have.nested.property('[0].pointer', '/1');
  });
});
