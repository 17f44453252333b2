/** The least rights of each strategy, as docs/operations.md has them, and what happens without. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Document } from 'mongodb';
import { MirrorThread } from '#quiesce/mirror/handle.js';
import { startCluster } from '../../../dev/cluster/cluster.ts';
import type { MirrorJob, Prepared, Written } from '#quiesce/mirror/messages.js';
import { useAuthMongo } from '../harness/mongodb/auth-mongo.ts';
import { refusal } from './harness.ts';

const on = (db: string, collection: string, ...actions: string[]): Document => ({
  resource: { db, collection },
  actions,
});
const scan = (db: string): Document[] => [
  on(db, '', 'listCollections'),
  on(db, 'resources', 'find', 'insert', 'update', 'remove'),
  on(db, 'quiesce.fence', 'find', 'insert', 'update'),
];
const twoPhase = (db: string): Document[] => [...scan(db), on(db, '', 'find', 'changeStream')];
const swap = (db: string): Document[] => [
  ...twoPhase(db),
  on(db, '', 'insert', 'createIndex', 'dropCollection'),
  on(db, 'resources', 'listIndexes'),
];

describe('a mirror whose user may do little', function () {
  this.timeout(60_000);
  const auth = useAuthMongo();
  let folder: string;
  let thread: MirrorThread;
  let runs = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quiesce-rights-'));
    thread = new MirrorThread({ onProgress: () => {}, log: { warn: () => {} } });
  });
  afterEach(async () => {
    await thread.close();
    await rm(folder, { recursive: true });
  });

  async function jobOf(uri: string, db: string, feed: object[], more: Partial<MirrorJob>): Promise<MirrorJob> {
    const run = `run-${++runs}`;
    const spool = join(folder, `${run}.feed`);
    await writeFile(spool, JSON.stringify(feed));
    return {
      run,
      owner: 'primary',
      spool,
      format: 'json',
      coding: 'identity',
      uri,
      db,
      collection: 'resources',
      key: 'id',
      extendedJson: false,
      maxBytes: 2 ** 31,
      strategy: 'auto',
      atomic: 'auto',
      databaseTimeout: 10_000,
      conflictTimeout: 5000,
      workDir: join(folder, 'work'),
      ...more,
    };
  }

  async function mirror(
    uri: string,
    db: string,
    feed: object[],
    more: Partial<MirrorJob>,
  ): Promise<Prepared & Written> {
    const job = await jobOf(uri, db, feed, more);
    const prepared = await thread.prepare(job);
    return { ...prepared, ...(await thread.write(job.run, prepared.fenceEpoch + 1)) };
  }

  const least = { scan, 'two-phase': twoPhase, swap };
  for (const [strategy, privileges] of Object.entries(least) as [keyof typeof least, typeof scan][]) {
    it(`needs no more than what the documents list for ${strategy}`, async () => {
      const { uri, db } = await auth.userWith(privileges);
      await mirror(uri, db.databaseName, [{ id: 1, v: 0 }, { id: 2 }], { strategy });
      await db.collection('resources').createIndex({ v: 1 });
      const done = await mirror(uri, db.databaseName, [{ id: 1, v: 1 }, { id: 3 }], { strategy });
      expect(done.strategy).to.equal(strategy);
      // Only a swap needs to list the indexes. Without that right a feed is taken all the same, and told of what is not judged.
      if (strategy === 'swap') expect(done.note).to.equal(undefined);
      else expect(done.note).to.match(/the unique indexes, which the user of the connection string may not list/);
      expect(done.counts).to.deep.equal({ inserted: 1, updated: 1, deleted: 1, unchanged: 0 });
    });
  }

  it('falls back where it may not swap, and says what is missing; what others have left is in nobody’s way', async () => {
    const { uri, db } = await auth.userWith(twoPhase);
    await mirror(uri, db.databaseName, [{ id: 1 }], {});
    const hash = createHash('sha256').update('resources').digest('hex').slice(0, 12);
    await db.createCollection(`quiesce.staging.${hash}.left`);
    const job = await jobOf(uri, db.databaseName, [{ id: 2 }], { strategy: 'swap' });
    const prepared = await thread.prepare(job);
    expect(prepared.strategy).to.equal('two-phase');
    expect(prepared.note).to.include(
      `lacks listIndexes on ${db.databaseName}.resources; insert, createIndex, dropCollection on the database`,
    );
    await thread.write(job.run, prepared.fenceEpoch + 1);
    expect(await db.collection('resources').find().toArray()).to.deep.equal([{ _id: 2 }]);
  });

  it('compares in the pause where it may not follow changes, and the note quotes no session', async () => {
    const { uri, db } = await auth.userWith(scan);
    const { strategy, note } = await mirror(uri, db.databaseName, [{ id: 1 }], { strategy: 'two-phase' });
    expect(strategy).to.equal('scan');
    expect(note)
      .to.match(/compared in the pause: the user of the connection string lacks find, changeStream on the database/)
      .and.not.match(/lsid|clusterTime|signature/);
  });

  const lacking: [what: string, gone: (privileges: Document[]) => Document[], names: RegExp][] = [
    [
      'to write',
      ([list, , fence]) => [list!, on('', 'resources', 'find'), fence!],
      /insert, update, remove on \S+\.resources/,
    ],
    ['to the fence', ([list, resources]) => [list!, resources!], /find, insert, update on \S+\.quiesce\.fence/],
    ['to list collections', ([, ...rest]) => rest, /listCollections on the database/],
  ];
  for (const [what, gone, names] of lacking) {
    it(`is refused before the pause without the right ${what}, by its name`, async () => {
      const { uri, db } = await auth.userWith((name) =>
        gone(scan(name)).map((one) => ({ ...one, resource: { ...one['resource'], db: name } })),
      );
      const refused = await refusal(thread.prepare(await jobOf(uri, db.databaseName, [{ id: 1 }], {})));
      expect(refused).to.include({ code: 'run-failed', dirty: false });
      expect(refused.message)
        .to.match(names)
        .and.not.match(/lsid|clusterTime|signature/);
    });
  }

  /** What is told at start, as the names of the rights behind what it costs. */
  async function foreseen(uri: string, more: Partial<MirrorJob> = {}): Promise<string[]> {
    const request = { uri, collection: 'resources', strategy: 'auto', databaseTimeout: 10_000, ...more } as const;
    return (await thread.foresee(request)).map((each) => {
      expect(each).to.match(/Grant them, or the role readWrite on shop\d+\.$/);
      return each.replace(/ shop\d+(\.\w+)*/g, '').replace(/(.*?)(?:[:.] .*MongoDB: )(.*)\. Grant.*/, '$1 < $2');
    });
  }
  const inPause = 'The strategies two-phase and swap cannot be used < find, changeStream on the database';
  const noSwap =
    'The strategy swap cannot be used < listIndexes on; find, insert, createIndex, dropCollection on the database';
  const late = /^Two items with one value of a unique index will be found in the pause .* < listIndexes on$/;

  it('is warned at start of each strategy that its rights do not allow, and what they are', async () => {
    const named = async (privileges: typeof scan, more?: Partial<MirrorJob>): Promise<string[]> => {
      const { uri, db } = await auth.userWith(privileges);
      return foreseen(uri, { db: db.databaseName, ...more });
    };
    expect(await named(swap)).to.deep.equal([]);
    const [second, third, ...rest] = await named(twoPhase);
    expect([second, rest.length]).to.deep.equal([noSwap.replace('find, ', ''), 0]);
    expect(third).to.match(late);
    expect((await named(scan)).slice(0, 2)).to.deep.equal([inPause, noSwap]);
    expect(await named(scan, { strategy: 'scan' }), 'the configuration wants no other').to.have.length(1);
    expect((await named(scan, { scope: { tenant: 'a' } })).slice(0, -1), 'no swap under a scope').to.deep.equal([
      inPause,
    ]);
    const [refused] = await named((db) => [on(db, 'resources', 'find')]);
    expect(refused).to.match(
      /^Each feed into will be refused < listCollections on the database; find, insert, update on; insert, update, remove on$/,
    );
    const { uri } = await auth.userWith(swap);
    const everyone = uri.replace(/mirror:secret@(.*)authSource=\w+/, 'root:secret@$1authSource=admin');
    expect(await foreseen(everyone), 'root').to.deep.equal([]);
  });

  it('does not keep a site from starting, which says what its feeds will lack', async () => {
    const { uri, db } = await auth.userWith((name) => [on(name, 'resources', 'find')]);
    const cluster = await startCluster({
      instances: 2,
      quiesce: { mongodb: { uri, db: db.databaseName } },
    });
    try {
      await cluster.said(/will be refused.*insert, update, remove on/);
      expect(cluster.output.match(/Each feed into/g)).to.have.length(1);
      expect((await fetch(`${cluster.url}/api/resources`)).status).to.equal(200);
    } finally {
      await cluster.close();
    }
  });

  it('puts back what it has written under the role readWrite, which may not bypass validators', async () => {
    const { uri, db } = await auth.userWith((name) => [...swap(name), on(name, '', 'remove', 'update')]);
    await db.createCollection<{ _id: number }>('resources', { validator: { v: { $type: 'number' } } });
    const before = Array.from({ length: 5100 }, (_, _id) => ({ _id, v: 0 }));
    await db.collection<{ _id: number; v: number }>('resources').insertMany(before);
    const feed = before.map(({ _id }) => ({ id: _id, v: _id === 5099 ? 'x' : 1 }));
    const refused = await refusal(mirror(uri, db.databaseName, feed, { strategy: 'scan', atomic: false }));
    expect(refused.message).to.not.include('could not be put back');
    expect(refused.dirty, refused.message).to.equal(false);
    expect(await db.collection('resources').countDocuments({ v: 0 })).to.equal(5100);
  });
});
