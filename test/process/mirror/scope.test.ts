import { expect } from 'chai';
import { refusal, useMirror } from './harness.ts';

describe('a mirror with a scope', function () {
  this.timeout(30_000);
  const mirrors = useMirror();
  const scope = { tenant: 'a' };

  beforeEach('documents inside and outside', async () => {
    await mirrors.db.collection<{ _id: unknown }>('resources').insertMany([
      { _id: 1, tenant: 'a' },
      { _id: 2, tenant: 'b' },
      { _id: 3 },
      { _id: 4, tenant: ['a'] },
    ] as {
      _id: unknown;
    }[]);
  });

  it('touches only the documents that match it, and writes its members into each item', async () => {
    const { counts } = await mirrors.mirror([{ id: 10 }, { id: 11, tenant: 'a' }], { scope });
    expect(counts).to.deep.equal({ inserted: 2, updated: 0, deleted: 1, unchanged: 0 });
    expect(await mirrors.stored()).to.deep.equal([
      { _id: 2, tenant: 'b' },
      { _id: 3 },
      { _id: 4, tenant: ['a'] },
      { _id: 10, tenant: 'a' },
      { _id: 11, tenant: 'a' },
    ]);
  });

  it('does not take over a document outside it', async () => {
    const refused = await refusal(mirrors.mirror([{ id: 1 }, { id: 2, x: 1 }, { id: 4 }], { scope }));
    expect(refused.code).to.equal('invalid-feed');
    expect(refused.dirty).to.equal(false);
    expect((refused.extra['errors'] as { pointer: string }[]).map(({ pointer }) => pointer).toSorted()).to.deep.equal([
      '/1',
      '/2',
    ]);
    expect(await mirrors.stored()).to.have.lengthOf(4);
  });

  it('has an epoch of its own', async () => {
    await mirrors.mirror([{ id: 1 }], { scope });
    const job = await mirrors.job([{ id: 2 }], { scope: { tenant: 'b' } });
    await mirrors.thread.prepare(job);
    await mirrors.thread.write(job.run, 1);
    const late = await mirrors.job([{ id: 1 }], { scope });
    await mirrors.thread.prepare(late);
    expect((await refusal(mirrors.thread.write(late.run, 0))).code).to.equal('fenced');
  });
});
