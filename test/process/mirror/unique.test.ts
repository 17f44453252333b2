/** Items that a unique index keeps out: named before the pause, with the same answer by every strategy. */
import { expect } from 'chai';
import fc from 'fast-check';
import { MongoBulkWriteError, type Collection, type IndexDescription } from 'mongodb';
import type { MirrorJob } from '#quiesce/mirror/messages.js';
import { refusal, useMirror } from './harness.ts';

const strategies = ['scan', 'two-phase', 'swap'] as const;

type Stored = Collection<{ _id: number }>;

describe('a mirror into a collection with a unique index', function () {
  this.timeout(60_000);
  const mirrors = useMirror();
  const collection = () => mirrors.db.collection<{ _id: unknown }>('resources');
  const index = (key: Record<string, number>, more: object = {}): Promise<string> =>
    collection().createIndex(key, { unique: true, ...more });

  /** What a run is refused with before its pause. */
  async function early(feed: readonly object[], more: Partial<MirrorJob> = {}): ReturnType<typeof refusal> {
    const job = await mirrors.job(feed, more);
    const { thread } = mirrors;
    try {
      return await refusal(more.dryRun ? thread.prepare(job).then(() => thread.plan(job.run)) : thread.prepare(job));
    } finally {
      await thread.cancel(job.run);
    }
  }

  const faultsOf = ({ extra }: Awaited<ReturnType<typeof refusal>>): [string, string][] =>
    (extra['errors'] as { pointer: string; detail: string }[]).map(({ pointer, detail }) => [pointer, detail]);

  for (const strategy of strategies) {
    it(`names the items with a value of an earlier one before the pause, in a dry run as well (${strategy})`, async () => {
      await mirrors.mirror([{ id: 0, v: 0 }]);
      await index({ v: 1 });
      const feed = Array.from({ length: 50 }, (_, id) => ({ id, v: Math.floor(id / 2) }));
      for (const dryRun of [false, true]) {
        const refused = await early(feed, { strategy, dryRun });
        expect(refused).to.include({ code: 'invalid-feed', dirty: false });
        expect(refused.extra['errorCount']).to.equal(25);
        expect(faultsOf(refused)).to.deep.equal(
          Array.from({ length: 20 }, (_, i) => [
            `/${2 * i + 1}`,
            `/${2 * i} has the same value for the unique index v_1`,
          ]),
        );
      }
      expect(await mirrors.stored()).to.deep.equal([{ _id: 0, v: 0 }]);
    });

    it(`lets values move between documents, and from those that it deletes (${strategy})`, async () => {
      await mirrors.mirror([
        { id: 0, v: 0 },
        { id: 1, v: 1 },
        { id: 2, v: 2 },
      ]);
      await index({ v: 1 });
      const feed = [
        { id: 0, v: 1 },
        { id: 1, v: 0 },
        { id: 3, v: 2 },
      ];
      await mirrors.mirror(feed, { strategy });
      expect(await mirrors.stored()).to.deep.equal(feed.map(({ id, v }) => ({ _id: id, v })));
    });
  }

  it('names them in the order of the feed, whatever index keeps them out', async () => {
    await index({ a: 1 });
    await index({ b: 1 });
    const refused = await early([
      { id: 1, a: 1, b: 1 },
      { id: 2, a: 2, b: 1 },
      { id: 3, a: 1, b: 3 },
    ]);
    expect(faultsOf(refused)).to.deep.equal([
      ['/1', '/0 has the same value for the unique index b_1'],
      ['/2', '/0 has the same value for the unique index a_1'],
    ]);
  });

  it('with a scope names those whose value a document outside it has', async () => {
    await collection().insertMany([
      { _id: 1, tenant: 'b', v: 1 },
      { _id: 2, tenant: 'a', v: 2 },
    ] as never);
    await index({ v: 1 });
    const feed = [
      { id: 10, v: 2 },
      { id: 11, v: 1 },
    ];
    for (const dryRun of [false, true]) {
      const refused = await early(feed, { scope: { tenant: 'a' }, strategy: 'two-phase', dryRun });
      expect(faultsOf(refused)).to.deep.equal([
        [
          '/1',
          'the collection has a document outside the scope of this mirror with the same value for the unique index v_1',
        ],
      ]);
    }
    await mirrors.mirror(feed.slice(0, 1), { scope: { tenant: 'a' } });
    expect(await mirrors.stored()).to.have.lengthOf(2);
  });

  it('lets in what a partial or a sparse index does not hold', async () => {
    await index({ v: 1 }, { partialFilterExpression: { live: true } });
    await index({ w: 1 }, { sparse: true });
    const feed = [
      { id: 1, v: 1, live: true },
      { id: 2, v: 1 },
      { id: 3, v: 1 },
    ];
    await mirrors.mirror(feed);
    expect(await mirrors.stored()).to.have.lengthOf(3);
  });

  it('names items with arrays that an index cannot have, unique or not', async () => {
    await collection().createIndex({ a: 1, b: 1 }, { partialFilterExpression: { live: true } });
    await collection().createIndex({ h: 'hashed' });
    const arrays = { a: [1], b: [2] };
    const refused = await early([
      { id: 1, ...arrays },
      { id: 2, ...arrays, live: true },
      { id: 3, h: [1] },
      { id: 4, a: [1], b: 2, live: true, h: 1 },
    ]);
    expect(faultsOf(refused)).to.deep.equal([
      ['/1', 'it has two arrays, and the index a_1_b_1 can have one of them only'],
      ['/2', 'it has an array, which the hashed index h_hashed cannot have'],
    ]);
  });

  describe('tells before the pause what MongoDB would not store:', () => {
    const value = fc.constantFrom<unknown>(0, 1, 1.5, '1', '', null, true, { b: 1 }, { b: '1' }, {}, { b: null });
    const item = (values: fc.Arbitrary<unknown>) =>
      fc.record({ a: values, b: values, c: fc.constantFrom<unknown>(1, 2) }, { requiredKeys: [] });
    const kinds: Pick<IndexDescription, 'key' | 'sparse' | 'partialFilterExpression' | 'collation' | 'hidden'>[] = [
      { key: { a: 1 } },
      { key: { 'a.b': -1 } },
      { key: { a: 1, b: 1 } },
      { key: { 'a.b': 1, c: 1 } },
      { key: { a: 1 }, sparse: true },
      { key: { 'a.b': 1, b: 1 }, sparse: true },
      { key: { a: 1 }, partialFilterExpression: { c: 1 } },
      { key: { a: 1, b: 1 }, partialFilterExpression: { b: { $exists: true } } },
    ];
    const scope = { tenant: 'a' };
    let round = 0;

    /** The items that MongoDB keeps out, one after the other, beside what lies outside the scope. */
    async function keptOut(feed: readonly object[], outside: readonly { _id: number }[], kind: IndexDescription) {
      const name = `resources${++round}`;
      const [real, copy] = [name, `copy${round}`].map((one) => mirrors.db.collection<{ _id: number }>(one)) as [
        Stored,
        Stored,
      ];
      await Promise.all([real, copy].map((one) => one.createIndexes([{ ...kind, unique: true }])));
      // Where the index keeps out what lies outside, that has been settled before there was a feed.
      await copy.insertMany([...outside], { ordered: false }).catch(() => {});
      const stored = await copy.find().toArray();
      if (stored.length > 0) await real.insertMany(stored);
      const documents = feed.map((one, i) => ({ ...one, _id: i, ...scope }));
      let refused: string[] = [];
      try {
        await copy.insertMany(documents, { ordered: false });
      } catch (error) {
        if (!(error instanceof MongoBulkWriteError)) throw error;
        refused = [error.writeErrors].flat().map(({ index: at }) => `/${at}`);
      }
      return { name, refused: refused.toSorted() };
    }

    async function told(feed: readonly object[], name: string, withScope: boolean): Promise<string[]> {
      const items = feed.map((one, id) => ({ ...one, id, ...scope }));
      const job = await mirrors.job(items, { collection: name, ...(withScope ? { scope } : {}) });
      try {
        await mirrors.thread.prepare(job);
        return [];
      } catch (error) {
        return faultsOf(error as never)
          .map(([pointer]) => pointer)
          .toSorted();
      } finally {
        await mirrors.thread.cancel(job.run);
      }
    }

    const outsiders = (values: fc.Arbitrary<unknown>) => fc.array(item(values), { maxLength: 4 });

    for (const kind of kinds) {
      it(JSON.stringify(kind), async () => {
        const property = fc.asyncProperty(
          fc.array(item(value), { minLength: 1, maxLength: 15 }),
          fc.option(outsiders(value)),
          async (feed, outside) => {
            const documents = (outside ?? []).map((one, i) => ({ ...one, _id: 100 + i, tenant: 'b' }));
            const { name, refused } = await keptOut(feed, documents, kind);
            expect(await told(feed, name, outside !== null)).to.deep.equal(refused);
          },
        );
        await fc.assert(property, { numRuns: 4 });
      });
    }

    const any = fc.oneof(value, fc.constantFrom<unknown>([], [1], [1, '1'], [{ b: 1 }], [[1]], [null], 'x', 'X'));
    const collation = { locale: 'en', strength: 2 };
    for (const more of [{}, { collation }, { hidden: true }] as const) {
      it(`with arrays, and ${Object.keys(more)[0] ?? 'nothing special'}`, async () => {
        const property = fc.asyncProperty(
          fc.constantFrom(...kinds),
          fc.array(item(any), { minLength: 1, maxLength: 8 }),
          outsiders(any),
          async (kind, feed, outside) => {
            const documents = outside.map((one, i) => ({ ...one, _id: 100 + i, tenant: 'b' }));
            const { name, refused } = await keptOut(feed, documents, { ...kind, ...more });
            expect(await told(feed, name, true), JSON.stringify(kind)).to.deep.equal(refused);
          },
        );
        await fc.assert(property, { numRuns: 20 });
      });
    }

    it('strings that a language takes for equal', async () => {
      const words = [
        'straße',
        'STRASSE',
        'résumé',
        'resume',
        'a-b',
        'ab',
        'ａｂ',
        'かな',
        'カナ',
        '007',
        '7',
        'œuvre',
        'oeuvre',
        '',
      ];
      const property = fc.asyncProperty(
        fc.record({
          locale: fc.constantFrom('en', 'de', 'fr'),
          strength: fc.constantFrom(1, 2, 3),
          numericOrdering: fc.boolean(),
          alternate: fc.constantFrom('shifted', 'non-ignorable'),
        }),
        fc.array(fc.constantFrom(...words), { minLength: 2, maxLength: 14 }),
        async (language, feed) => {
          const { name, refused } = await keptOut(
            feed.map((a) => ({ a })),
            [],
            { key: { a: 1 }, collation: language },
          );
          expect(
            await told(
              feed.map((a) => ({ a })),
              name,
              false,
            ),
            JSON.stringify(language),
          ).to.deep.equal(refused);
        },
      );
      await fc.assert(property, { numRuns: 10 });
    });
  });
});
