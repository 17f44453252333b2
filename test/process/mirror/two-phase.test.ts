import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { Collection } from 'mongodb';
import { useMirror, type Mirrors } from './harness.ts';

interface Stored {
  _id: number;
  v: number;
  u?: number;
}

/** A small generator of its own, so that a history can be told again by its seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const keys = 24;
const histories = Number(process.env['QUIESCE_HISTORIES'] ?? 60);

function feedOf(next: (below: number) => number): { id: number; v: number }[] {
  return Array.from({ length: keys }, (_, id) => ({ id, v: next(4) })).filter(() => next(4) > 0);
}

async function writeSomething(collection: Collection<Stored>, next: (below: number) => number): Promise<void> {
  const _id = next(keys + 4);
  switch (next(5)) {
    case 0:
      await collection.deleteOne({ _id });
      break;
    case 1:
      await collection.updateOne({ _id }, { $set: { v: next(4) } }, { upsert: true });
      break;
    case 2:
      await collection.replaceOne({ _id }, { v: next(4), u: 1 }, { upsert: true });
      break;
    case 3:
      await collection.updateMany({ v: next(4) }, { $set: { v: next(4) } });
      break;
    default:
      await collection.deleteMany({ v: next(4), _id: { $gt: keys - 4 } });
  }
}

/** What a run should report, found the slow way. */
async function expected(collection: Collection<Stored>, feed: readonly { id: number; v: number }[]): Promise<object> {
  const stored = new Map((await collection.find().toArray()).map((document) => [document._id, document]));
  const counts = { inserted: 0, updated: 0, deleted: 0, unchanged: 0 };
  for (const { id, v } of feed) {
    const document = stored.get(id);
    if (!document) counts.inserted++;
    else if (document.v === v && document.u === undefined) counts.unchanged++;
    else counts.updated++;
    stored.delete(id);
  }
  return { ...counts, deleted: stored.size };
}

/** The app writes while the run is prepared, and rests while it is written. */
async function history(mirrors: Mirrors, name: string, seed: number, strategies: Map<string, number>): Promise<void> {
  const next = random(seed);
  const collection = mirrors.db.collection<Stored>(name);
  await collection.deleteMany({});
  const feed = feedOf(next);
  const stored =
    next(3) === 0
      ? feed.map(({ id, v }) => ({ _id: id, v }))
      : Array.from({ length: keys }, (_, i) => ({ _id: i, v: next(4) }));
  if (stored.length > 0) await collection.insertMany(stored);

  const job = await mirrors.job(feed, { collection: name, strategy: seed % 20 === 0 ? 'swap' : 'two-phase' });
  let isServing = true;
  const app = (async () => {
    for (let pause = next(8); isServing;) {
      await writeSomething(collection, next);
      if (pause > 0) await delay(pause);
    }
  })();
  const prepared = await mirrors.thread.prepare(job);
  for (let i = next(3); i > 0; i--) await delay(3);
  isServing = false;
  await app;
  if (!prepared.needsPause) {
    await mirrors.thread.cancel(job.run); // there was a moment at which it was equal; the app has gone on since
    strategies.set('none', (strategies.get('none') ?? 0) + 1);
    return;
  }
  const counts = await expected(collection, feed);
  const written = await mirrors.thread.write(job.run, mirrors.nextEpoch());
  if (written.strategy === 'two-phase') expect(written.counts, `seed ${seed}`).to.deep.equal(counts);
  expect(await collection.find().sort({ _id: 1 }).toArray(), `seed ${seed}`).to.deep.equal(
    feed.map(({ id, v }) => ({ _id: id, v })),
  );
  strategies.set(written.strategy, (strategies.get(written.strategy) ?? 0) + 1);
}

describe('a mirror in two phases', function () {
  this.timeout(300_000);
  const mirrors = useMirror();

  it('is equal to a scan of everything, whatever the app writes meanwhile', async () => {
    const strategies = new Map<string, number>();
    const seeds = Array.from({ length: histories }, (_, i) => i + 1);
    const lanes = ['a', 'b'].map(async (lane) => {
      for (let seed = seeds.pop(); seed !== undefined; seed = seeds.pop())
        await history(mirrors, lane, seed, strategies);
    });
    await Promise.all(lanes);
    expect(strategies.get('two-phase')).to.be.greaterThan(0.6 * histories);
    expect(strategies.get('swap')).to.be.greaterThan(0.02 * histories);
    expect(strategies.get('scan') ?? 0).to.be.lessThan(0.1 * histories);
  });

  it('pauses for nothing where nothing differs', async () => {
    const feed = Array.from({ length: 100 }, (_, id) => ({ id, v: 1 }));
    await mirrors.mirror(feed, { strategy: 'two-phase' });
    const prepared = await mirrors.thread.prepare(await mirrors.job(feed, { strategy: 'auto' }));
    expect(prepared).to.deep.include({ needsPause: false, strategy: 'two-phase' });
    expect(prepared.counts).to.deep.equal({ inserted: 0, updated: 0, deleted: 0, unchanged: 100 });
  });

  it('pauses for nothing where a large feed comes again at once', async () => {
    const feed = Array.from({ length: 12_000 }, (_, id) => ({ id }));
    await mirrors.db.createCollection('resources');
    await mirrors.mirror(feed, { strategy: 'two-phase' });
    const again = await mirrors.thread.prepare(await mirrors.job(feed, { strategy: 'two-phase' }));
    expect(again).to.include({ needsPause: false, strategy: 'two-phase' });
  });

  it('has MongoDB read what it is going to write, and nothing else, once more before the pause', async () => {
    const feed = Array.from({ length: 100 }, (_, id) => ({ id, v: 1 }));
    await mirrors.mirror(feed);
    await mirrors.db.setProfilingLevel('all');
    const changed = [...feed.slice(6), { id: 5, v: 2 }, { id: 200, v: 2 }];
    await mirrors.thread.prepare(await mirrors.job(changed, { strategy: 'two-phase' }));
    await mirrors.db.setProfilingLevel('off');
    const commands = await mirrors.db.collection('system.profile').find({ 'command.find': 'resources' }).toArray();
    const reads = commands.filter(({ command }) => command.filter._id?.$in);
    expect(reads).to.have.length(1);
    expect(reads[0]!['command'].filter._id.$in).to.have.members([0, 1, 2, 3, 4, 5, 200]);
    expect(reads[0]).to.include({ docsExamined: 6 });
  });

  it('finds what was changed by hand', async () => {
    await mirrors.mirror([
      { id: 1, v: 1 },
      { id: 2, v: 2 },
    ]);
    await mirrors.db.collection<{ _id: number }>('resources').updateOne({ _id: 2 }, { $set: { v: 3 } });
    const { counts } = await mirrors.mirror(
      [
        { id: 1, v: 1 },
        { id: 2, v: 2 },
      ],
      { strategy: 'auto' },
    );
    expect(counts).to.deep.equal({ inserted: 0, updated: 1, deleted: 0, unchanged: 1 });
  });

  for (const [what, disturb] of Object.entries<(mirrors: Mirrors) => Promise<unknown>>({
    'the collection is dropped': ({ db }) => db.dropCollection('resources'),
    'the collection is renamed': ({ db }) => db.renameCollection('resources', 'elsewhere'),
    'another takes its name': async ({ db }) => {
      await db.collection<{ _id: number }>('other').insertOne({ _id: 99 });
      await db.renameCollection('other', 'resources', { dropTarget: true });
    },
    'the database is dropped': ({ db }) => db.dropDatabase(),
    'more keys are written than are remembered': ({ db }) =>
      db
        .collection<{ _id: number }>('resources')
        .insertMany(Array.from({ length: 12_000 }, (_, i) => ({ _id: i + 1000 }))),
  })) {
    it(`compares everything in the pause where ${what} meanwhile, and says so`, async () => {
      await mirrors.mirror([
        { id: 1, v: 1 },
        { id: 2, v: 2 },
      ]);
      const job = await mirrors.job(
        [
          { id: 1, v: 1 },
          { id: 3, v: 3 },
        ],
        { strategy: 'two-phase', maxDeletes: '100%' },
      );
      expect((await mirrors.thread.prepare(job)).strategy).to.equal('two-phase');
      await disturb(mirrors);
      const written = await mirrors.thread.write(job.run, mirrors.nextEpoch());
      expect(written.strategy).to.equal('scan');
      expect(written.note).to.match(/compared in the pause: .*(drop|rename|keys)/);
      expect(await mirrors.stored()).to.deep.equal([
        { _id: 1, v: 1 },
        { _id: 3, v: 3 },
      ]);
    });
  }

  it('with a scope follows documents in and out of it', async () => {
    const collection = mirrors.db.collection<{ _id: number; tenant: string }>('resources');
    await collection.insertMany([
      { _id: 1, tenant: 'a' },
      { _id: 2, tenant: 'a' },
      { _id: 3, tenant: 'b' },
    ]);
    const job = await mirrors.job([{ id: 1 }, { id: 4 }], { strategy: 'two-phase', scope: { tenant: 'a' } });
    await mirrors.thread.prepare(job);
    await collection.updateOne({ _id: 2 }, { $set: { tenant: 'b' } });
    await collection.updateOne({ _id: 3 }, { $set: { tenant: 'a' } });
    const { counts, strategy } = await mirrors.thread.write(job.run, mirrors.nextEpoch());
    expect(strategy).to.equal('two-phase');
    expect(counts).to.deep.equal({ inserted: 1, updated: 0, deleted: 1, unchanged: 1 });
    expect(await mirrors.stored()).to.deep.equal([
      { _id: 1, tenant: 'a' },
      { _id: 2, tenant: 'b' },
      { _id: 4, tenant: 'a' },
    ]);
  });
});
