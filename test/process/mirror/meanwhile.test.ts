/** What the app, or anybody, writes between the compare and the write is judged as what was compared. */
import { expect } from 'chai';
import { lockDocument } from '../harness/mongodb/document-lock.ts';
import { blockedAtFence, lockFence } from '../harness/mongodb/fence-lock.ts';
import { until } from '../harness/until.ts';
import { refusal, useMirror } from './harness.ts';

interface Stored {
  _id: number;
  v?: number;
  tenant?: string;
}

describe('what is written while a mirror is prepared', function () {
  this.timeout(60_000);
  const mirrors = useMirror();
  const resources = () => mirrors.db.collection<Stored>('resources');
  const scope = { tenant: 'a' };

  /** Prepares a feed, and does something when the collection has been compared once. */
  async function preparedAround(job: Awaited<ReturnType<typeof mirrors.job>>, meanwhile: () => Promise<unknown>) {
    const unlock = await lockFence(
      mirrors,
      job.scope ? `resources ${JSON.stringify(job.scope)} mark` : 'resources mark',
    );
    const prepared = mirrors.thread.prepare(job);
    prepared.catch(() => {});
    await until('the compare is done', () => blockedAtFence(mirrors));
    await meanwhile();
    await unlock();
    return prepared;
  }

  /** Writes a prepared run, and does something when its plan is exact and `_id` cannot be written yet. */
  async function writtenAround(run: string, _id: number, meanwhile: () => Promise<unknown>) {
    const unlock = await lockDocument(mirrors, _id);
    const written = mirrors.thread.write(run, mirrors.nextEpoch());
    written.catch(() => {});
    await until('the plan is exact', () => mirrors.progress.some(({ progress }) => progress.step === 'write'));
    await meanwhile();
    await unlock();
    return written;
  }

  it('counts for max_deletes, where the feed itself changes nothing', async () => {
    await resources().insertMany([{ _id: 1 }, { _id: 2 }]);
    const job = await mirrors.job([{ id: 1 }, { id: 2 }], { strategy: 'two-phase', maxDeletes: 0 });
    const refused = await refusal(
      preparedAround(job, () => resources().insertMany([{ _id: 3 }, { _id: 4 }])).then(() =>
        mirrors.thread.write(job.run, mirrors.nextEpoch()),
      ),
    );
    expect(refused).to.include({ code: 'too-many-deletes', dirty: false });
    expect(await resources().countDocuments()).to.equal(4);
  });

  it('is not overwritten where a document went to another scope', async () => {
    await resources().insertOne({ _id: 1, tenant: 'a' });
    const job = await mirrors.job([{ id: 1 }], { strategy: 'two-phase', scope });
    const refused = await refusal(
      preparedAround(job, () => resources().updateOne({ _id: 1 }, { $set: { tenant: 'b', v: 7 } })).then(() =>
        mirrors.thread.write(job.run, mirrors.nextEpoch()),
      ),
    );
    expect(refused.code).to.equal('invalid-feed');
    expect(await mirrors.stored()).to.deep.equal([{ _id: 1, tenant: 'b', v: 7 }]);
  });

  it('is counted by a swap, and judged by max_deletes', async () => {
    await resources().insertMany([{ _id: 1 }, { _id: 2 }]);
    const feed = [{ id: 1, v: 1 }, { id: 2 }];
    const limited = await mirrors.job(feed, { strategy: 'swap', maxDeletes: 1 });
    await mirrors.thread.prepare(limited);
    await resources().insertMany([{ _id: 3 }, { _id: 4 }]);
    const refused = await refusal(mirrors.thread.write(limited.run, mirrors.nextEpoch()));
    expect(refused).to.include({ code: 'too-many-deletes', dirty: false });
    expect(await resources().countDocuments()).to.equal(4);

    const job = await mirrors.job(feed, { strategy: 'swap' });
    await mirrors.thread.prepare(job);
    await resources().insertOne({ _id: 5 });
    const { counts, strategy } = await mirrors.thread.write(job.run, mirrors.nextEpoch());
    expect(strategy).to.equal('swap');
    expect(counts).to.deep.equal({ inserted: 0, updated: 1, deleted: 3, unchanged: 1 });
  });

  it('is counted by a swap where the change stream is lost, and judged by max_deletes', async () => {
    await resources().insertMany([{ _id: 1 }, { _id: 2 }]);
    const feed = [{ id: 1, v: 1 }, { id: 2 }];
    const many = Array.from({ length: 12_000 }, (_, i) => ({ _id: i + 1000 }));
    const job = await mirrors.job(feed, { strategy: 'swap', maxDeletes: 11_999 });
    await mirrors.thread.prepare(job);
    await resources().insertMany(many);
    expect((await refusal(mirrors.thread.write(job.run, mirrors.nextEpoch()))).code).to.equal('too-many-deletes');

    const free = await mirrors.job(feed, { strategy: 'swap', maxDeletes: '100%' });
    await mirrors.thread.prepare(free);
    await resources().insertMany(many.map(({ _id }) => ({ _id: _id + 20_000 })));
    const written = await mirrors.thread.write(free.run, mirrors.nextEpoch());
    expect(written.strategy).to.equal('swap');
    expect(written.counts).to.deep.equal({ inserted: 0, updated: 1, deleted: 24_000, unchanged: 1 });
    expect(written.note).to.match(/compared in the pause: .*keys/);
  });

  it('inside the scope is no reason to refuse a feed that brings the same key', async () => {
    const items = 3000;
    const feed = Array.from({ length: items }, (_, id) => ({ id, v: 1 }));
    const job = await mirrors.job(feed, { strategy: 'two-phase', scope });
    await resources().insertOne({ _id: -1, tenant: 'b' });
    let isServing = true;
    const app = (async () => {
      for (let _id = 0; isServing && _id < items; _id++) await resources().insertOne({ _id, tenant: 'a' });
    })();
    const prepared = await mirrors.thread.prepare(job).finally(() => (isServing = false));
    await app;
    expect(prepared).to.include({ needsPause: true, strategy: 'two-phase' });
    const { counts } = await mirrors.thread.write(job.run, mirrors.nextEpoch());
    expect(counts.inserted + counts.updated).to.equal(items);
    expect(await resources().countDocuments({ tenant: 'a', v: 1 })).to.equal(items);
  });

  for (const atomic of ['auto', false] as const) {
    describe(`by somebody who heeds no pause, in the write itself, with atomic: ${atomic}`, () => {
      const foreign = { _id: 5, tenant: 'b', v: 5 };
      const feed = [
        { id: 1, v: 2 },
        { id: 5, v: 2 },
      ];

      async function prepared(stored: Stored[], items: object[] = feed): Promise<string> {
        await resources().insertMany(stored);
        const job = await mirrors.job(items, { strategy: 'two-phase', scope, atomic });
        await mirrors.thread.prepare(job);
        return job.run;
      }

      it('is left alone where it lies outside the scope and has a key that the feed brings', async () => {
        const run = await prepared([
          { _id: 1, tenant: 'a', v: 1 },
          { _id: 2, tenant: 'a' },
        ]);
        const refused = await refusal(writtenAround(run, 1, () => resources().insertOne({ ...foreign })));
        expect(refused).to.include({ code: 'invalid-feed', dirty: false });
        expect(await mirrors.stored()).to.deep.equal([{ _id: 1, tenant: 'a', v: 1 }, { _id: 2, tenant: 'a' }, foreign]);
      });

      it('is replaced where it lies inside', async () => {
        const run = await prepared([{ _id: 1, tenant: 'a', v: 1 }]);
        await writtenAround(run, 1, () => resources().insertOne({ _id: 5, tenant: 'a', v: 5 }));
        expect(await mirrors.stored()).to.deep.equal([
          { _id: 1, v: 2, tenant: 'a' },
          { _id: 5, v: 2, tenant: 'a' },
        ]);
      });

      it('is left alone where it took documents that the feed changes or lacks out of the scope', async () => {
        const run = await prepared(
          [
            { _id: 1, tenant: 'a', v: 1 },
            { _id: 3, tenant: 'a' },
            { _id: 5, tenant: 'a', v: 1 },
          ],
          [{ id: 1, v: 2 }, { id: 5, v: 2 }, { id: 6 }],
        );
        const refused = await refusal(
          writtenAround(run, 1, () =>
            Promise.all(
              [3, 5].map((_id) => resources().updateOne({ _id }, { $set: { tenant: 'b', v: 5 } }, { upsert: true })),
            ),
          ),
        );
        expect(refused).to.include({ code: 'invalid-feed', dirty: false });
        expect(await mirrors.stored()).to.deep.equal([
          { _id: 1, tenant: 'a', v: 1 },
          { _id: 3, tenant: 'b', v: 5 },
          foreign,
        ]);
      });
    });
  }
});
