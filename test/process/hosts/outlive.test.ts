import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { lockDocument } from '../harness/mongodb/document-lock.ts';
import { endFaults, faults } from '../harness/hosts/host-faults.ts';
import { startHosts, type Host } from '../harness/hosts/hosts.ts';
import { discard, newDatabase, type TestDatabase } from '../harness/mongodb/mongo.ts';
import { until } from '../harness/until.ts';

const count = 100_000;
const stop = faults.find(({ name }) => name.startsWith('a stop of primary and'))!;
/** Lease, grace and margin; then the others notice, fetch the feed and write all of it. */
const within = 90_000;

describe('a run whose host is lost while it writes 100,000 changes', function () {
  this.timeout(240_000);
  let hosts: Host[] = [];
  let database: TestDatabase;
  let folder: string;

  beforeEach('three hosts, and documents that each differ from the feed', async () => {
    database = await newDatabase();
    folder = await mkdtemp(join(tmpdir(), 'quiesce-hosts-'));
    const witness = join(folder, 'witness');
    await writeFile(witness, '');
    const documents = Array.from({ length: count }, (_, n) => ({ _id: n, n: 0 }));
    await database.db.collection<{ _id: number; n: number }>('resources').insertMany(documents, { ordered: false });
    hosts = await startHosts(['owner', 'second', 'third'], {
      uri: database.uri,
      db: database.name,
      witness,
      instances: 1,
      cluster: { lease: '6s', eviction_grace: '1s' },
      quiesce: { sync: { atomic: false, strategy: 'scan', conflict_timeout: '2m' } },
    });
  });

  afterEach(async function () {
    endFaults();
    if (this.currentTest?.state === 'failed')
      for (const { name, cluster } of hosts) console.error(`--- ${name}\n${cluster.output}`);
    await Promise.all(hosts.splice(0).map((host) => host.close()));
    await discard(database);
    await rm(folder, { recursive: true, force: true });
  });

  /** A part is written, and the rest waits for what this returns; with the path of the run. */
  async function halfWritten(owner: Host): Promise<{ run: string; unlock: () => Promise<void> }> {
    const unlock = await lockDocument(database, count - 1);
    const feed = gzipSync(JSON.stringify(Array.from({ length: count }, (_, id) => ({ id, n: 1 }))));
    const answer = await fetch(`${owner.cluster.url}/api/sync`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip', Prefer: 'respond-async' },
      body: feed,
    });
    expect(answer.status, await answer.text()).to.equal(202);
    const feeds = database.db.collection('quiesce.feeds.files');
    expect(await feeds.findOne(), 'kept, as it came, before it is accepted').to.include({ length: feed.byteLength });
    await until('a part is written', () => database.db.collection('resources').findOne({ n: 1 }), { within: 60_000 });
    return { run: answer.headers.get('location')!, unlock };
  }

  async function finishedAt(host: Host, path: string): Promise<RunRecord> {
    return until(
      'the run has ended',
      async () => {
        const resources = database.db.collection('resources');
        if ((await host.ask('/work')) === 200)
          expect(await resources.countDocuments({ n: 1 }), 'a part is not served').to.equal(count);
        const answer = await fetch(host.cluster.url + path);
        const run = answer.status === 200 ? ((await answer.json()) as RunRecord) : null;
        return run?.endedAt === undefined ? null : run;
      },
      { within, every: 200 },
    );
  }

  it('is finished by another host; any host has its result, and every worker hears of it before it serves', async () => {
    const [owner, ...others] = hosts as [Host, Host, Host];
    const { run, unlock } = await halfWritten(owner);
    await owner.cluster.kill();
    await unlock();
    const id = run.split('/').at(-1)!;
    for (const host of others) {
      const { state, report, collection } = await finishedAt(host, run);
      expect({ state, collection }).to.deep.equal({ state: 'succeeded', collection: 'resources' });
      expect(report?.counts.updated).to.be.greaterThan(0);
      await host.serves();
      const heard = await (await fetch(`${host.cluster.url}/mirrored`)).json();
      expect(heard).to.deep.equal([
        { run: id, collection: 'resources', outcome: 'succeeded', counts: report?.counts, keys: null },
      ]);
      expect((await host.cluster.control.runs(5)).map((each) => each.id)).to.deep.equal([id]);
    }
    expect(await database.db.collection('resources').countDocuments({ n: 1 })).to.equal(count);
    const chunks = database.db.collection('quiesce.feeds.chunks');
    await until('its feed is removed', async () => (await chunks.findOne()) === null);
    expect(await database.db.collection('quiesce.feeds.files').findOne()).to.equal(null);
  });

  it('is not written by its former host, which was stopped and goes on', async () => {
    const [owner, other] = hosts as [Host, Host, Host];
    const { run, unlock } = await halfWritten(owner);
    await stop.begin(owner);
    await unlock();
    await finishedAt(other, run);
    await other.serves();
    const later = { _id: count - 1, n: 2 };
    await database.db.collection<typeof later>('resources').replaceOne({ _id: later._id }, later);
    await stop.end(owner);
    await owner.serves();
    expect(await database.db.collection<typeof later>('resources').findOne({ _id: later._id })).to.deep.equal(later);
    expect(await database.db.collection('resources').countDocuments({ n: 1 })).to.equal(count - 1);
    const { state } = (await (await fetch(owner.cluster.url + run)).json()) as RunRecord;
    expect(state, 'at its former host').to.equal('succeeded');
    await owner.runsAlone();
  });
});
