/** The least rights of each strategy, as docs/operations.md has them, and what happens without. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Document } from 'mongodb';
import { MirrorThread } from '#quiesce/mirror/handle.js';
import type { MirrorJob, Prepared, Written } from '#quiesce/mirror/messages.js';
import { useAuthMongo } from '../harness/auth-mongo.ts';
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
      expect(done.note).to.equal(undefined);
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
      .to.match(/compared in the pause/)
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
