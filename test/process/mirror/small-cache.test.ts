/** A MongoDB whose cache is small, or that says that it is: what does not fit into a transaction is written in batches. */
import { expect } from 'chai';
import { MongoClient, type Db } from 'mongodb';
import { startMongo, type DevMongo } from '../../../dev/mongodb/index.ts';
import { refusal, useMirror } from './harness.ts';

const mb = 1024 * 1024;

describe('a mirror into a MongoDB with a cache of 256 MB', function () {
  this.timeout(120_000);
  const mirrors = useMirror();
  let server: DevMongo;
  let client: MongoClient;
  let db: Db;

  before('a small MongoDB that can be made to fail', async function () {
    if (process.env['MONGODB_URI']) this.skip();
    server = await startMongo({ cacheGb: 0.25, args: ['--setParameter', 'enableTestCommands=1'] });
    client = new MongoClient(server.uri);
  });
  beforeEach('an empty database', async () => {
    db = client.db(mirrors.name);
  });
  after('it stopped', async () => {
    await client?.close();
    await server?.stop();
  });

  /** A feed of so many MB, in items of 100 kB. */
  function feedOf(size: number, version = 0): object[] {
    const text = 'x'.repeat(100_000);
    return Array.from({ length: Math.ceil((size * mb) / text.length) }, (_, id) => ({ id, version, text }));
  }

  async function write(feed: object[], more: Parameters<typeof mirrors.job>[1] = {}) {
    const job = await mirrors.job(feed, { uri: server.uri, ...more });
    await mirrors.thread.prepare(job);
    return mirrors.thread.write(job.run, mirrors.nextEpoch());
  }

  /** How many transactions the last run made. */
  async function transactions(): Promise<unknown> {
    const fence = await db.collection<{ _id: string; batches: number }>('quiesce.fence').findOne({ _id: 'resources' });
    return fence?.batches;
  }

  /** The next `times` inserts of the server fail with this code. */
  async function fail(errorCode: number, times: number): Promise<void> {
    const data = {
      failCommands: ['insert'],
      errorCode,
      errorLabels: errorCode === 251 ? ['TransientTransactionError'] : [],
    };
    await client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times }, data });
  }

  it('takes one transaction for what fits well, and batches for more', async () => {
    await write(feedOf(6));
    expect(await transactions()).to.equal(1);
    await write(feedOf(16, 1));
    expect(await transactions()).to.be.greaterThan(2);
  });

  it('fails at the first sign where one transaction is asked for, and changes nothing', async () => {
    const refused = await refusal(write(feedOf(60), { atomic: true }));
    expect(refused).to.include({ code: 'run-failed', dirty: false });
    expect(refused.message).to.match(/do not fit into one transaction.*Nothing was changed/s);
    expect(await db.collection('resources').countDocuments()).to.equal(0);
  });

  for (const [name, code] of [
    ['TransactionExceededLifetimeLimitSeconds', 290],
    ['TemporarilyUnavailable', 365],
    ['TransactionTooLarge', 225],
    ['TransactionTooLargeForCache', 388],
    ['MaxTimeMSExpired', 50],
  ] as const) {
    it(`falls back to batches at the first ${name}`, async () => {
      await fail(code, 1);
      const { counts } = await write([{ id: 1 }, { id: 2 }]);
      expect(counts.inserted).to.equal(2);
      expect(await transactions()).to.be.greaterThan(1);
    });
  }

  it('makes a batch smaller that does not fit', async () => {
    await fail(365, 3);
    const { counts } = await write(Array.from({ length: 8 }, (_, id) => ({ id })));
    expect(counts.inserted).to.equal(8);
    expect(await db.collection('resources').countDocuments()).to.equal(8);
  });
});
