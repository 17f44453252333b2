/** MongoDB dies at any moment of a run and comes back. `QUIESCE_CRASHES=50` for a long soak. */
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster, type Cluster } from '../../../dev/cluster/cluster.ts';
import { startMongo, type DevMongo } from '../../../dev/mongodb/index.ts';
import { until } from '../harness/until.ts';
import { putVersion, Readers } from '../harness/clients/versions.ts';

const crashes = Number(process.env['QUIESCE_CRASHES'] ?? 1);

describe('a MongoDB that is killed at any moment of a run', function () {
  this.timeout(120_000 + crashes * 40_000);
  let folder: string;
  let mongo: DevMongo;
  let cluster: Cluster | undefined;

  before(async function () {
    if (process.env['MONGODB_URI']) this.skip(); // that one is not ours to kill
    folder = await mkdtemp(join(tmpdir(), 'quiesce-'));
    mongo = await startMongo({ dataDir: join(folder, 'mongodb') });
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.error(cluster?.output);
    await cluster?.close();
  });

  after(async () => {
    await mongo?.stop();
    if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('leaves one whole feed behind, shows no other, and the cluster serves again', async () => {
    cluster = await startCluster({
      quiesce: { mongodb: { uri: mongo.uri, db: 'crash' }, sync: { database_timeout: '60s' } },
    });
    const readers = new Readers(cluster.url);
    const outcomes: string[] = [];
    try {
      const { ms } = await putVersion(cluster.url, 0);
      for (let version = 1; version <= crashes; version++) {
        const moment = (1.2 * ms * (version - Math.random())) / crashes; // spread over the whole of it
        const sent = putVersion(cluster.url, version);
        await delay(moment);
        await mongo.kill();
        await mongo.restart();
        const { status, text } = await sent;
        outcomes.push(`${Math.round(moment)} ms: ${status}`);
        expect(status, text).to.be.oneOf([202, 204, 500, 503]);
        await cluster.until('the cluster to serve again', ({ phase }) => phase === 'serving', 60_000);
        await until('the app to serve', async () => (await fetch(`${cluster!.url}/api/resources?limit=1`)).ok, {
          within: 30_000,
        });
        const found = await versions();
        expect(found, `killed ${moment.toFixed(0)} ms after the PUT (${status})`).to.have.length(1);
        if (status < 300) expect(found).to.deep.equal([version]);
      }
    } finally {
      await readers.stop();
      console.log(`        ${outcomes.join(', ')}; ${readers.pages} pages read`);
    }
    expect(readers.mixed, 'pages that showed two versions').to.deep.equal([]);
  });

  async function versions(): Promise<unknown[]> {
    const client = await MongoClient.connect(mongo.uri);
    try {
      return await client.db('crash').collection('resources').distinct('version');
    } finally {
      await client.close();
    }
  }
});
