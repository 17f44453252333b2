import { expect } from 'chai';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { until } from '../harness/until.ts';
import { leftovers, refusal, useMirror } from './harness.ts';

const names = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'name', 'tags') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('__proto__', 'a.b', '$x', '$set', '', 'constructor', '0', '12', 'toString', '$'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }) },
);
const scalars = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(
    0,
    -0,
    2 ** 31,
    -(2 ** 31) - 1,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    1e300,
    5e-324,
    true,
    false,
    null,
    '\0',
    '\ufeff',
    '￿😀',
    '$x',
    'a.b',
  ),
);
/** Objects whose own `__proto__` is a member like any other. */
function object(members: [string, unknown][]): object {
  const result: object = {};
  for (const [name, value] of members)
    Object.defineProperty(result, name, { value, enumerable: true, configurable: true, writable: true });
  return result;
}
const values = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    scalars,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.uniqueArray(fc.tuple(names, tie('value')), { selector: ([name]) => name, maxLength: 5 }).map(object),
}));
const keys = fc.oneof(
  fc.nat(30),
  fc.constantFrom(0.5, -1, 1e300, true, ''),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
);
const items = fc.uniqueArray(
  fc
    .tuple(keys, values.object)
    .map(([key, rest]) => Object.assign(object(Object.entries(rest).filter(([name]) => name !== '_id')), { id: key })),
  { selector: (item) => JSON.stringify(item.id), maxLength: 20 },
);

/** Deep equality that tells -0 from 0 and looks at own members only. */
function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = new Map(Object.entries(a));
  const right = new Map(Object.entries(b));
  return (
    left.size === right.size && [...left].every(([name, value]) => right.has(name) && sameJson(value, right.get(name)))
  );
}

describe('a mirror', function () {
  this.timeout(120_000);
  const mirrors = useMirror();

  /** The driver's own cursor gives arrays under the name `__proto__` as raw bytes. */
  async function read(): Promise<BSON.Document[]> {
    const raw = await mirrors.db.collection('resources').find({}, { raw: true }).toArray();
    return raw.map((document) => BSON.deserialize(document as unknown as Uint8Array));
  }

  it('makes the collection equal to any feed, from whatever it held before', async () => {
    await fc.assert(
      fc.asyncProperty(items, fc.constantFrom(undefined, 2), async (feed, indent) => {
        const text = JSON.stringify(feed, null, indent);
        const before = (await mirrors.stored()).length;
        const { counts } = await mirrors.mirror(text);
        const stored = await read();
        expect(stored.length).to.equal(feed.length);
        const byKey = new Map(stored.map((document) => [JSON.stringify(document['_id']), document]));
        for (const item of JSON.parse(text) as { id: unknown }[]) {
          const document = byKey.get(JSON.stringify(item.id))!;
          const { id, ...rest } = item;
          const { _id, ...members } = document;
          expect(sameJson(_id, id) && sameJson(members, rest), JSON.stringify([item, document])).to.equal(true);
        }
        expect(counts.inserted + counts.updated + counts.unchanged).to.equal(feed.length);
        expect(counts.deleted).to.equal(before - counts.updated - counts.unchanged);
        const again = await mirrors.mirror(text);
        expect(again.counts).to.deep.equal({ inserted: 0, updated: 0, deleted: 0, unchanged: feed.length });
      }),
      { numRuns: Number(process.env['QUIESCE_FEEDS'] ?? 80) },
    );
    // They are removed once the run has been answered.
    await until('the files of all runs are gone', async () => (await leftovers(mirrors)).length === 0);
  });

  it('writes what differs and nothing else', async () => {
    const collection = mirrors.db.collection<{ _id: unknown; n: unknown }>('resources');
    await collection.insertMany([
      { _id: 1, n: 'same' },
      { _id: 2, n: 'old' },
      { _id: 3, n: 'gone' },
    ]);
    const stream = collection.watch();
    await stream.tryNext(); // it is open now
    const { counts } = await mirrors.mirror([
      { id: 1, n: 'same' },
      { id: 2, n: 'new' },
      { id: 4, n: 'added' },
    ]);
    expect(counts).to.deep.equal({ inserted: 1, updated: 1, deleted: 1, unchanged: 1 });
    const events: string[] = [];
    for (
      let event = await stream.next();
      events.push(`${event.operationType} ${'documentKey' in event ? event.documentKey._id : ''}`) < 3;
    )
      event = await stream.next();
    expect(events).to.deep.equal(['delete 3', 'replace 2', 'insert 4']);
    await stream.close();
  });

  it('lets a unique value move from one document to another, to and fro and around', async () => {
    const collection = mirrors.db.collection('resources');
    await collection.createIndex({ slot: 1 }, { unique: true });
    await mirrors.mirror(['a', 'b', 'c', 'd'].map((slot, id) => ({ id, slot })));
    for (const feed of [
      [
        { id: 0, slot: 'b' },
        { id: 1, slot: 'a' },
        { id: 2, slot: 'c' },
        { id: 3, slot: 'd' },
      ],
      [
        { id: 0, slot: 'a' },
        { id: 1, slot: 'c' },
        { id: 2, slot: 'd' },
        { id: 3, slot: 'b' },
      ],
      [
        { id: 1, slot: 'a' },
        { id: 4, slot: 'c' },
        { id: 2, slot: 'b' },
        { id: 3, slot: 'd' },
      ],
    ]) {
      await mirrors.mirror(feed);
      const stored = await mirrors.stored();
      expect(stored.map(({ _id, slot }) => ({ id: _id, slot }))).to.deep.equal(feed.toSorted((a, b) => a.id - b.id));
    }
    const failed = await refusal(
      mirrors.mirror([
        { id: 1, slot: 'x' },
        { id: 2, slot: 'x' },
      ]),
    );
    expect(failed.code).to.equal('invalid-feed');
    expect(failed.message).to.match(/unique index slot_1/);
  });

  it('reports how far it has come', async () => {
    await mirrors.mirror(Array.from({ length: 5000 }, (_, id) => ({ id })));
    const steps = mirrors.progress.map(({ progress }) => progress.step);
    expect([...new Set(steps)]).to.deep.equal(['prepare', 'scan', 'write']);
  });
});
