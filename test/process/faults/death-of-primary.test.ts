import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { useClusters } from '../harness/clusters/clusters.ts';
import { json, linesTo, problemIn, send, type Reply } from '../harness/clients/lines.ts';
import { mongo } from '../harness/mongodb/mongo.ts';
import { MongoProxy } from '../harness/mongodb/mongo-proxy.ts';
import { exclusivePhases, holdExclusive, holdSync, syncPhases, type HeldRun } from '../harness/clusters/phases.ts';
import { isAlive } from '../harness/processes.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { straggler } from '../harness/clients/straggler.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
const slowRenames = new URL('../fixtures/preloads/slow-renames.js?of=runs', import.meta.url).href;
const feed = [{ id: 'new', n: 2 }];

describe('a primary that is killed', function () {
  this.timeout(40_000);
  let proxy: MongoProxy;
  before(async function () {
    this.timeout(120_000);
    proxy = await MongoProxy.start((await mongo()).uri);
  });
  const shared = useSharedCluster((database) => ({
    script: app,
    instances: 2,
    quiesce: { mongodb: { uri: proxy.uri, db: database.name } },
  }));
  after(() => proxy.close());
  beforeEach('a collection', async () => {
    await shared.database.db.collection('resources').insertOne({ _id: 'old', n: 1 } as object);
  });
  afterEach('MongoDB speaks', () => proxy.speak());

  const resources = (): Promise<object[]> => shared.database.db.collection('resources').find().toArray();

  /** Kills the primary, sees its workers go, and starts the next one. Returns what the caller of the run got. */
  async function killAndRestart({ run, reply, release }: HeldRun): Promise<Reply | null> {
    const { cluster } = shared;
    const { workers } = await cluster.status();
    const record = join(cluster.dataDir, 'runs', `${run.id}.json`);
    await until('the history has it', () => existsSync(record), { every: 1 });
    await cluster.kill();
    await until('no worker is left', () => workers.every(({ pid }) => !isAlive(pid!)), { within: 2_000 });
    await release();
    cluster.launch();
    await cluster.ready();
    await cluster.until('it serves', ({ phase }) => phase === 'serving');
    const lines = await linesTo(cluster.url, [0, 1]);
    for (const line of lines) {
      expect((await line.send('/work')).status).to.equal(200);
      line.close();
    }
    return reply;
  }

  async function history({ run }: HeldRun): Promise<RunRecord> {
    const { status, text } = await send(`${shared.cluster.url}/api/sync/${run.id}`);
    expect(status, text).to.equal(200);
    return JSON.parse(text) as RunRecord;
  }

  for (const phase of syncPhases) {
    const what =
      phase === 'uploading' ? 'nothing was changed, and the history says so' : 'the next one rolls the feed forward';

    it(`while a feed is ${phase} takes its workers with it, and answers the caller; ${what}`, async () => {
      const held = await holdSync(shared.cluster, proxy, phase, feed);
      const reply = await killAndRestart(held);
      expect(reply?.status, reply?.text).to.equal(503);
      expect(problemIn(reply!).code).to.equal('no-primary');
      const run = await history(held);
      if (phase === 'uploading') {
        expect(run.state).to.equal('failed');
        expect(run.error?.detail).to.include('Nothing was changed');
        expect(await resources()).to.deep.equal([{ _id: 'old', n: 1 }]);
      } else {
        expect(run.state, run.error?.detail).to.equal('succeeded');
        expect(run.notes).to.have.lengthOf(1);
        expect(reply?.headers).to.include({ location: `/api/sync/${run.id}`, 'quiesce-run': run.id });
        expect(await resources()).to.deep.equal([{ _id: 'new', n: 2 }]);
      }
    });
  }

  for (const phase of exclusivePhases) {
    it(`while an exclusive run is ${phase} ends that, and the history says so`, async () => {
      const held = await holdExclusive(shared.cluster, phase);
      const reply = await killAndRestart(held);
      // A handler that is at work goes with its process, and there is nobody left to answer.
      if (phase === 'draining') expect(problemIn(reply!)).to.include({ status: 503, code: 'no-primary' });
      else expect(reply).to.equal(null);
      expect(await history(held)).to.include({ kind: 'exclusive', state: 'failed' });
    });
  }

  it('leaves a worker that is stopped behind: the next one ends it before it serves', async () => {
    const { cluster } = shared;
    const { end } = await straggler(cluster, 1);
    const { workers } = await cluster.status();
    const left = workers[1]!.pid!;
    process.kill(left, 'SIGSTOP');
    try {
      await cluster.kill();
      await until('the other one is gone', () => !isAlive(workers[0]!.pid!));
      cluster.launch();
      await cluster.ready();
      expect(isAlive(left), 'it would go on with its handlers as soon as it can').to.equal(false);
      expect((await send(`${cluster.url}/work`)).status).to.equal(200);
    } finally {
      if (isAlive(left)) process.kill(left, 'SIGKILL');
      await end().catch(() => null);
    }
  });
});

describe('a primary that is killed when its feed has just been answered', function () {
  this.timeout(40_000);
  const clusters = useClusters();

  it('has mirrored it for good: what the app writes after that is not taken back by the next one', async () => {
    const { database } = clusters;
    const primaryEnv: Record<string, string> = { NODE_OPTIONS: `--import=${slowRenames}` };
    const quiesce = { mongodb: { uri: database.uri, db: database.name } };
    const cluster = await clusters.create({ instances: 1, primaryEnv, quiesce });
    cluster.launch();
    await cluster.ready();
    const message = { method: 'PUT' as const, headers: json, body: JSON.stringify(feed) };
    expect((await send(`${cluster.url}/api/sync`, message)).status).to.equal(204);
    const [run] = await cluster.control.runs(1);
    const record = join(cluster.dataDir, 'runs', `${run!.id}.json`);
    await database.db.collection('resources').insertOne({ _id: 'of the app' } as object);
    expect(existsSync(record) ? readFileSync(record, 'utf8') : '', 'on disk').to.not.include('succeeded');
    await cluster.kill();
    delete primaryEnv['NODE_OPTIONS'];
    cluster.launch();
    await cluster.until('it serves, and the history has that', ({ phase, run: last }) => {
      return phase === 'serving' && last?.state === 'succeeded';
    });
    expect(await database.db.collection('resources').distinct('_id')).to.have.members(['new', 'of the app']);
    const [found] = await cluster.control.runs(1);
    expect(found).to.include({ id: run!.id, state: 'succeeded' });
    expect(found!.notes?.at(-1)).to.equal('It had been finished before.');
  });
});

describe('a primary that is killed when its rename has just been made', function () {
  this.timeout(40_000);
  const clusters = useClusters();
  let proxy: MongoProxy;
  before(async function () {
    this.timeout(120_000);
    proxy = await MongoProxy.start((await mongo()).uri);
  });
  after(() => proxy.close());

  it('leaves a run that the next one finds finished, with its counts, and does not make again', async () => {
    const { database } = clusters;
    await database.db.collection('resources').insertOne({ _id: 'old', n: 1 } as object);
    const quiesce = { mongodb: { uri: proxy.uri, db: database.name }, sync: { strategy: 'swap' as const } };
    const cluster = await clusters.create({ instances: 1, quiesce });
    cluster.launch();
    await cluster.ready();
    proxy.loseReplyTo('renameCollection', () => cluster.kill());
    await send(`${cluster.url}/api/sync`, { method: 'PUT', headers: json, body: JSON.stringify(feed) });
    await until('the primary is dead', async () => !(await cluster.control.runs(1).catch(() => null)));
    await database.db.collection('resources').insertOne({ _id: 'of the app' } as object);
    cluster.launch();
    await cluster.until('it serves, and the history has that', ({ phase, run: last }) => {
      return phase === 'serving' && last?.state === 'succeeded';
    });
    expect(await database.db.collection('resources').distinct('_id')).to.have.members(['new', 'of the app']);
    const [found] = await cluster.control.runs(1);
    expect(found!.report?.counts).to.deep.equal({ inserted: 1, updated: 0, deleted: 1, unchanged: 0 });
  });
});
