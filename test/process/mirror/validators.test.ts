/** Items that a validator or a unique index keeps out: named before the pause where MongoDB can tell, by 422 always. */
import { expect } from 'chai';
import { refusal, useMirror } from './harness.ts';

const strategies = ['scan', 'two-phase', 'swap'] as const;

describe('a mirror into a collection with', function () {
  this.timeout(30_000);
  const mirrors = useMirror();
  const collection = () => mirrors.db.collection<{ _id: number }>('resources');

  for (const strategy of strategies) {
    it(`a validator names the items that it keeps out before the pause, in a dry run as well (${strategy})`, async () => {
      await mirrors.db.createCollection('resources', { validator: { $jsonSchema: { required: ['v'] } } });
      await mirrors.mirror([{ id: 0, v: 0 }]);
      const feed = [
        { id: 0, v: 1 },
        ...Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? { id: i + 1 } : { id: i + 1, v: 1 })),
      ];
      for (const dryRun of [false, true]) {
        const job = await mirrors.job(feed, { strategy, dryRun });
        const { thread } = mirrors;
        const refused = await refusal(
          dryRun ? thread.prepare(job).then(() => thread.plan(job.run)) : thread.prepare(job),
        );
        expect(refused).to.include({ code: 'invalid-feed', dirty: false });
        expect(refused.extra['errorCount']).to.equal(25);
        const pointers = (refused.extra['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
        expect(pointers).to.deep.equal(Array.from({ length: 20 }, (_, i) => `/${2 * i + 1}`));
        await thread.cancel(job.run);
      }
      expect(await mirrors.stored()).to.deep.equal([{ _id: 0, v: 0 }]);
    });

    it(`a stored document that its validator would refuse leaves it as it is, where the feed does (${strategy})`, async () => {
      await collection().insertMany([{ _id: 1 }, { _id: 2 }]);
      await mirrors.db.command({ collMod: 'resources', validator: { $jsonSchema: { required: ['v'] } } });
      await mirrors.mirror([{ id: 1 }, { id: 3, v: 1 }], { strategy });
      expect(await mirrors.stored()).to.deep.equal([{ _id: 1 }, { _id: 3, v: 1 }]);
    });

    it(`an index that only MongoDB can judge answers with 422 all the same, and changes nothing (${strategy})`, async () => {
      await mirrors.mirror([{ id: 0 }]);
      await collection().createIndex({ at: '2dsphere' });
      const refused = await refusal(
        mirrors.mirror([{ id: 1, at: { type: 'Point', coordinates: [500, 0] } }], { strategy }),
      );
      expect(refused).to.include({ code: 'invalid-feed', dirty: false });
      expect(refused.extra['errorCount']).to.equal(1);
      expect(refused.extra['errors']).to.have.lengthOf(1);
      expect(await mirrors.stored()).to.deep.equal([{ _id: 0 }]);
    });

    it(`a validator of the level moderate lets an invalid document follow an invalid one only (${strategy})`, async () => {
      await collection().insertMany([{ _id: 1 }, { _id: 2, v: 1 } as never]);
      const validator = { $jsonSchema: { required: ['v'] } };
      await mirrors.db.command({ collMod: 'resources', validator, validationLevel: 'moderate' });
      const job = await mirrors.job([{ id: 1, w: 1 }, { id: 2 }, { id: 3 }], { strategy });
      const refused = await refusal(mirrors.thread.prepare(job));
      const errors = refused.extra['errors'] as { pointer: string }[];
      expect(errors.map(({ pointer }) => pointer)).to.deep.equal(['/1', '/2']);
      await mirrors.thread.cancel(job.run);
      await mirrors.mirror(
        [
          { id: 1, w: 1 },
          { id: 2, v: 2 },
        ],
        { strategy },
      );
      expect(await mirrors.stored()).to.deep.equal([
        { _id: 1, w: 1 },
        { _id: 2, v: 2 },
      ]);
    });
  }

  it('an index that only MongoDB can judge is in the notes of a run and of a dry run, and is told at start', async () => {
    await mirrors.mirror([{ id: 0 }]);
    await collection().createIndex({ at: '2dsphere' });
    await collection().createIndex({ words: 'text' });
    const near = { type: 'Point', coordinates: [8, 47] };
    const line = {
      type: 'LineString',
      coordinates: [
        [8, 47],
        [9, 48],
      ],
    };
    const notes = async (item: object): Promise<(string | undefined)[]> => {
      const job = await mirrors.job([{ id: 1, ...item }], { dryRun: true });
      await mirrors.thread.prepare(job);
      const { note: dry } = await mirrors.thread.plan(job.run);
      await mirrors.thread.cancel(job.run);
      const real = await mirrors.job([{ id: 1, ...item }]);
      const { note } = await mirrors.thread.prepare(real);
      await mirrors.thread.cancel(real.run);
      return [dry, note];
    };
    expect(await notes({ at: near, words: 'a b' }), 'a point and words').to.deep.equal([undefined, undefined]);
    for (const [item, index] of [
      [{ at: line }, 'at_2dsphere'],
      [{ words: 'a', language: 'french' }, 'words_text'],
    ] as const)
      for (const note of await notes(item))
        expect(note).to.match(new RegExp(`^Only MongoDB .*: the index ${index}\\. The`));
    const { uri, db } = await mirrors.job([]);
    const told = await mirrors.thread.foresee({
      uri,
      db: db!,
      collection: 'resources',
      strategy: 'auto',
      databaseTimeout: 10_000,
    });
    expect(told).to.have.lengthOf(1);
    expect(told[0]).to.include('the index at_2dsphere (2dsphere), the index words_text (text)');
  });
});
