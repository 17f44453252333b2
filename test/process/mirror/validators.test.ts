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

    it(`a unique index that cannot be judged before answers with 422 all the same, and changes nothing (${strategy})`, async () => {
      await mirrors.mirror([{ id: 0, v: 'x' }]);
      await collection().createIndex({ v: 1 }, { unique: true, collation: { locale: 'en', strength: 2 } });
      const feed = [
        { id: 1, v: 'a' },
        { id: 2, v: 'A' },
      ];
      const refused = await refusal(mirrors.mirror(feed, { strategy }));
      expect(refused).to.include({ code: 'invalid-feed', dirty: false });
      expect(refused.extra['errorCount']).to.equal(1);
      expect(refused.extra['errors']).to.have.lengthOf(1);
      expect(await mirrors.stored()).to.deep.equal([{ _id: 0, v: 'x' }]);
    });
  }
});
