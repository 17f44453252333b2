import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ClusterStatus, RunRecord } from '#quiesce/protocol/api/runs.js';
import { json, linesTo, problemIn, send } from '../harness/clients/lines.ts';
import { mongo } from '../harness/mongodb/mongo.ts';
import { MongoProxy } from '../harness/mongodb/mongo-proxy.ts';
import {
  bystanderSlot,
  exclusivePhases,
  holdExclusive,
  holdSync,
  ownerSlot,
  syncPhases,
} from '../harness/clusters/phases.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { straggler } from '../harness/clients/straggler.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
const heartbeatInterval = 200;
const heartbeatTimeout = 2_000;

describe('a worker that dies', function () {
  this.timeout(30_000);
  let proxy: MongoProxy;
  before(async function () {
    this.timeout(120_000);
    proxy = await MongoProxy.start((await mongo()).uri);
  });
  const shared = useSharedCluster((database) => ({
    script: app,
    instances: 3,
    // Many deaths in a short time, all of them wanted.
    app: { min_uptime: 1, max_restarts: 1_000 },
    quiesce: {
      mongodb: { uri: proxy.uri, db: database.name },
      heartbeat: { interval: heartbeatInterval, timeout: heartbeatTimeout },
    },
  }));
  after(() => proxy.close());

  const stored = [{ _id: 'old', n: 1 }];
  const feed = [{ id: 'new', n: 2 }];
  beforeEach('a collection', () =>
    shared.database.db.collection('resources').insertMany(structuredClone(stored) as object[]),
  );
  afterEach('nothing is left of a feed', async () => {
    proxy.speak();
    for (const folder of ['spool', 'journal', 'work']) {
      const path = join(shared.cluster.dataDir, folder);
      // The folder that `work` has for each primary stays, without a file in it.
      const hasFiles = async (): Promise<boolean> =>
        (await readdir(path, { recursive: true, withFileTypes: true })).some((entry) => entry.isFile());
      await until(`${folder} has no file`, async () => !(await hasFiles()), { within: 3_000 });
    }
  });

  async function kill(slot: number): Promise<ClusterStatus['workers'][number]> {
    const { workers } = await shared.cluster.status();
    process.kill(workers[slot]!.pid!, 'SIGKILL');
    return workers[slot]!;
  }

  /** The slot has a successor. During a pause it is shut: it refuses whoever asks it. */
  async function succeeded({ slot, incarnation }: ClusterStatus['workers'][number], held: boolean): Promise<void> {
    const { cluster } = shared;
    await cluster.until(`worker ${slot} has a successor`, ({ workers }) => {
      const { incarnation: now, state } = workers[slot]!;
      return now > incarnation && state === (held ? 'quiesced' : 'serving');
    });
    const [line] = await linesTo(cluster.url, [slot]);
    const reply = await line!.send('/work');
    expect(reply.slot).to.equal(slot);
    expect(reply.status, reply.text).to.equal(held ? 503 : 200);
    line!.close();
  }

  async function ended(id: string): Promise<RunRecord> {
    const { cluster } = shared;
    const { run } = await cluster.until('the run has ended', (status) => status.run?.endedAt !== undefined);
    expect(run?.id).to.equal(id);
    await cluster.until('the cluster serves', ({ phase }) => phase === 'serving');
    await cluster.ready();
    expect((await send(`${cluster.url}/work`)).status).to.equal(200);
    return run!;
  }

  async function expectCollection(documents: object[]): Promise<void> {
    expect(await shared.database.db.collection('resources').find().toArray()).to.deep.equal(documents);
  }

  for (const phase of syncPhases) {
    const held = phase === 'draining' || phase === 'running';

    it(`while it has a PUT whose feed is ${phase}: ${phase === 'uploading' ? 'the run ends with it' : 'the run goes on without it'}`, async () => {
      const { run, reply, release } = await holdSync(shared.cluster, proxy, phase, feed);
      const killed = await kill(ownerSlot);
      expect(await reply, 'its caller').to.equal(null);
      await succeeded(killed, held);
      await release();
      const { state, error } = await ended(run.id);
      if (phase === 'uploading') {
        expect(state).to.equal('failed');
        expect(error?.code).to.equal('owner-died');
        await expectCollection(stored);
      } else {
        expect(state, error?.detail).to.equal('succeeded');
        await expectCollection([{ _id: 'new', n: 2 }]);
      }
    });

    it(`while another one has a PUT whose feed is ${phase}: the run goes on, and its caller is answered`, async () => {
      const { run, reply, release } = await holdSync(shared.cluster, proxy, phase, feed);
      await succeeded(await kill(bystanderSlot), held);
      await release();
      const answer = await reply;
      expect(answer?.status, answer?.text).to.equal(204);
      expect((await ended(run.id)).state).to.equal('succeeded');
      await expectCollection([{ _id: 'new', n: 2 }]);
    });
  }

  for (const phase of exclusivePhases) {
    it(`while its exclusive run is ${phase}: the run ends with it`, async () => {
      const { run, reply, release } = await holdExclusive(shared.cluster, phase);
      await kill(ownerSlot);
      expect(await reply, 'its caller').to.equal(null);
      const { state, error } = await ended(run.id);
      expect(state).to.equal('failed');
      expect(error?.code).to.equal('owner-died');
      await release();
    });

    it(`while the exclusive run of another one is ${phase}: the run goes on`, async () => {
      const { run, reply, release } = await holdExclusive(shared.cluster, phase);
      await succeeded(await kill(bystanderSlot), true);
      await release();
      expect((await reply)?.status).to.equal(200);
      expect((await ended(run.id)).state).to.equal('succeeded');
    });
  }

  it('with the request that a drain waits for: it is drained', async () => {
    const { request } = await straggler(shared.cluster, bystanderSlot);
    request.on('error', () => {});
    const [line] = await linesTo(shared.cluster.url, [ownerSlot]);
    const put = line!.send('/api/sync', { method: 'PUT', headers: json, body: JSON.stringify(feed) });
    await shared.cluster.until('it drains', ({ waitingFor }) => waitingFor.length > 0);
    await kill(bystanderSlot);
    expect((await put).status).to.equal(204);
    line!.close();
  });

  it('while it takes a feed for a dry run leaves nothing of that behind', async () => {
    const [line] = await linesTo(shared.cluster.url, [ownerSlot]);
    const { request, reply } = line!.begin('/api/sync?dryRun=true', { method: 'PUT', headers: json });
    request.write('[');
    const spool = join(shared.cluster.dataDir, 'spool');
    await until('it is on its way to disk', async () => (await readdir(spool)).length === 1);
    await kill(ownerSlot);
    expect(await reply.catch(() => null)).to.equal(null);
    line!.close();
  });

  it('by kill -STOP keeps a drain waiting until its heartbeat is missed, and is killed then', async () => {
    const { cluster } = shared;
    const { workers } = await cluster.status();
    const { pid, slot } = workers[bystanderSlot]!;
    const [line] = await linesTo(cluster.url, [ownerSlot]);
    const since = performance.now();
    process.kill(pid!, 'SIGSTOP');
    const body = JSON.stringify(feed);
    const reply = await line!.send('/api/sync', { method: 'PUT', headers: json, body });
    expect(reply.status, reply.text).to.equal(204);
    line!.close();
    const { timings } = (await cluster.status()).run!.report!;
    // Its last heartbeat is older than the stop, by one interval at most.
    expect(performance.now() - since).to.be.at.least(heartbeatTimeout - 2 * heartbeatInterval);
    expect(timings.drain).to.be.at.most(heartbeatTimeout * 3);
    expect((await cluster.ready()).workers[slot]!.pid).to.not.equal(pid);
    await expectCollection([{ _id: 'new', n: 2 }]);
  });

  it('in the middle of everything takes nobody else’s request with it', async () => {
    const { end } = await straggler(shared.cluster, ownerSlot);
    await succeeded(await kill(bystanderSlot), false);
    expect((await end()).status).to.equal(200);
    expect(problemIn(await send(`${shared.cluster.url}/api/sync/none`)).code).to.equal('not-found');
  });
});
