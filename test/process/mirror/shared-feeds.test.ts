/** The feeds of a cluster's hosts in a real GridFS. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { MongoClient, ObjectId, type Db } from 'mongodb';
import pino from 'pino';
import type { AppConfig } from '#quiesce/config.js';
import { GridFeeds } from '#quiesce/primary/hosts/grid-feeds.js';
import type { JournalEntry } from '#quiesce/primary/runs/recovery/journal.js';
import { startCluster } from '../../../dev/cluster/cluster.ts';
import { startMongo, type DevMongo } from '../../../dev/mongodb/index.ts';
import { json, problemIn, send, type Reply } from '../harness/clients/lines.ts';
import type { TestDatabase } from '../harness/mongodb/mongo.ts';
import { until } from '../harness/until.ts';
import { refusal, useMirror } from './harness.ts';

const startedAt = '2026-01-01T00:00:00.000Z';
const day = 24 * 60 * 60 * 1_000;
const log = pino({ level: 'silent' });

interface Chunk {
  _id: ObjectId;
  files_id: string;
  n: number;
  data: Buffer;
}

/** The runs that have a file document, and those that have chunks. */
async function runsIn(db: Db): Promise<{ files: string[]; chunks: string[] }> {
  const of = async (collection: string, field: string): Promise<string[]> =>
    ((await db.collection(collection).distinct(field)) as string[]).toSorted();
  return { files: await of('quiesce.feeds.files', '_id'), chunks: await of('quiesce.feeds.chunks', 'files_id') };
}

describe('the feeds of a cluster in GridFS', function () {
  this.timeout(120_000);
  const mirrors = useMirror();

  function host({ uri, name }: Pick<TestDatabase, 'uri' | 'name'>, cluster = 'site'): GridFeeds {
    const config = { mongodb: { uri, db: name }, sync: { databaseTimeout: 5_000 } } as unknown as AppConfig;
    const record = (id: string) =>
      ({ id, kind: 'sync', state: 'uploading', collection: 'resources', startedAt }) as const;
    return new GridFeeds({ config, cluster, thread: () => mirrors.thread, record, log });
  }

  async function entryOf(run: string, feed: Buffer): Promise<JournalEntry> {
    const path = join(mirrors.folder, `${run}.feed`);
    await writeFile(path, feed);
    return {
      run,
      state: 'accepted',
      startedAt,
      feed: { path, bytes: feed.byteLength, digest: 'x', format: 'json', coding: 'identity', uploadMs: 1 },
      mirror: { collection: 'resources', key: 'id', extendedJson: false, maxDeletes: 7 },
      settings: { strategy: 'scan', atomic: false, maxBytes: 10, conflictTimeout: 1, databaseTimeout: 2 },
    };
  }

  describe('that hosts have left', () => {
    /** As if it had been written so long ago. */
    async function age(run: string, by: number): Promise<void> {
      const at = Date.now() - by;
      const files = mirrors.db.collection<{ _id: string; uploadDate: Date }>('quiesce.feeds.files');
      await files.updateOne({ _id: run }, { $set: { uploadDate: new Date(at) } });
      const chunks = mirrors.db.collection<Chunk>('quiesce.feeds.chunks');
      const old = await chunks.find({ files_id: run }).toArray();
      await chunks.deleteMany({ files_id: run });
      const first = ObjectId.createFromTime(Math.floor(at / 1_000))
        .toHexString()
        .slice(0, 8);
      const aged = old.map((chunk) => ({ ...chunk, _id: new ObjectId(first + new ObjectId().toHexString().slice(8)) }));
      await chunks.insertMany(aged);
    }

    it('go after a day; that of the run that is going on, those of today and those of other clusters stay', async () => {
      const dead = host(mirrors);
      for (const run of ['left', 'needed', 'today']) await dead.put(await entryOf(run, Buffer.from('[]')));
      await host(mirrors, 'another').put(await entryOf('of-another', Buffer.from('[]')));
      const chunks = mirrors.db.collection<Chunk>('quiesce.feeds.chunks');
      for (const run of ['cut-off', 'cut-off-today'])
        await chunks.insertOne({ _id: new ObjectId(), files_id: run, n: 0, data: Buffer.from('[') });
      for (const run of ['left', 'needed', 'of-another', 'cut-off']) await age(run, day + 60_000);
      await age('today', day - 60_000);
      await age('cut-off-today', day - 60_000);
      host(mirrors).look('needed');
      await until('what is left is removed', async () => !(await runsIn(mirrors.db)).chunks.includes('left'));
      await until('and what was cut off', async () => !(await runsIn(mirrors.db)).chunks.includes('cut-off'));
      const files = ['needed', 'of-another', 'today'];
      expect(await runsIn(mirrors.db)).to.deep.equal({ files, chunks: ['cut-off-today', ...files] });
    });
  });

  describe('where MongoDB has no room', () => {
    let server: DevMongo;
    let client: MongoClient;
    let db: Db;

    before('a MongoDB that can be made to fail', async function () {
      if (process.env['MONGODB_URI']) this.skip();
      server = await startMongo({ args: ['--setParameter', 'enableTestCommands=1'] });
      client = new MongoClient(server.uri);
    });
    beforeEach('an empty database', () => {
      db = client.db(mirrors.name);
    });
    after('it stopped', async () => {
      await client?.close();
      await server?.stop();
    });

    /** Inserts into GridFS, but for so many first ones, find a full disk (code 14031, OutOfDiskSpace). */
    async function fill(skip: number): Promise<void> {
      const data = {
        failCommands: ['insert'],
        errorCode: 14_031,
        namespace: `${db.databaseName}.quiesce.feeds.chunks`,
      };
      await client.db('admin').command({ configureFailPoint: 'failCommand', mode: { skip }, data });
    }

    async function free(): Promise<void> {
      await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });
    }

    it('are refused in the middle, and what is there of one goes when its run has ended', async () => {
      const feeds = host({ uri: server.uri, name: db.databaseName });
      const entry = await entryOf('large', randomBytes(9 * 1024 * 1024));
      await fill(1);
      const refused = await refusal(feeds.put(entry));
      expect(refused).to.include({ code: 'insufficient-storage' });
      expect(refused.message).to.match(/no room for the feed in MongoDB.*Nothing was changed\. Free some space there/);
      expect(feeds.has('large'), 'known as kept').to.equal(false);
      expect(await runsIn(db)).to.deep.equal({ files: [], chunks: ['large'] });
      await feeds.remove('large');
      expect(await runsIn(db)).to.deep.equal({ files: [], chunks: [] });
      await free();
      await feeds.put(entry);
      expect(await runsIn(db)).to.deep.equal({ files: ['large'], chunks: ['large'] });
    });

    it('are answered with 507: no host pauses, no run is left, and the next one is mirrored once there is room', async () => {
      const settings = { mongodb: { uri: server.uri, db: db.databaseName }, cluster: { name: 'site' } };
      const cluster = await startCluster({ instances: 1, quiesce: settings });
      try {
        await cluster.until('it has joined', ({ phase }) => phase === 'serving');
        const { epoch } = await cluster.status();
        const body = '[{"id":1}]';
        const put = (): Promise<Reply> => send(`${cluster.url}/api/sync`, { method: 'PUT', headers: json, body });
        await fill(0);
        const reply = await put();
        expect(reply.status, reply.text).to.equal(507);
        expect(problemIn(reply)).to.include({ code: 'insufficient-storage' });
        expect(await cluster.status()).to.deep.include({ phase: 'serving', epoch, holds: [] });
        const site = db.collection<{ _id: string; run: unknown }>('quiesce.cluster');
        await until('the cluster has no run', async () => (await site.findOne({ _id: 'site' }))?.run === null);
        await free();
        expect((await put()).status).to.equal(204);
        await until('no feed is left', async () => (await runsIn(db)).chunks.length === 0);
      } finally {
        await cluster.close();
      }
    });
  });
});
