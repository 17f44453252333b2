import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { Load } from '../../../dev/load/load.ts';
import { quiesce } from '../harness/commands/command.ts';
import { json, problemIn, send } from '../harness/clients/lines.ts';
import { mongo } from '../harness/mongodb/mongo.ts';
import { MongoProxy } from '../harness/mongodb/mongo-proxy.ts';
import { holdExclusive, holdSync, syncPhases, type HeldRun } from '../harness/clusters/phases.ts';
import { startQuiesce, type RunningCommand } from '../harness/commands/running-command.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { straggler } from '../harness/clients/straggler.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
const feed = [{ id: 'new', n: 2 }];

describe('a primary that is to be replaced', function () {
  this.timeout(120_000);
  let proxy: MongoProxy;
  before(async () => {
    proxy = await MongoProxy.start((await mongo()).uri);
  });
  const shared = useSharedCluster((database) => ({
    script: app,
    instances: 2,
    keeper: true,
    app: { kill_timeout: 20_000 },
    quiesce: { mongodb: { uri: proxy.uri, db: database.name } },
  }));
  after(() => proxy.close());

  let traffic: Load[];
  beforeEach('traffic, of connections that are kept and of new ones', () => {
    const { url } = shared.cluster;
    const load = { url, paths: ['/work?ms=300'], connections: 2, pause: 20 };
    traffic = [true, false].map((keepAlive) => new Load({ ...load, keepAlive }));
  });
  afterEach('no request has failed', async () => {
    proxy.speak();
    for (const report of await Promise.all(traffic.map((load) => load.stop()))) {
      expect(report.failures).to.deep.equal({});
      expect(report.byStatus).to.have.any.keys('200');
      // 503 is what a pause answers.
      expect(Object.keys(report.byStatus)).to.satisfy((all: string[]) => all.every((each) => /^(200|503)$/.test(each)));
    }
  });

  const args = (): string[] => ['reload', '--primary', '--data-dir', shared.cluster.dataDir];
  const order = (...more: string[]): RunningCommand =>
    startQuiesce([...args(), ...more], { cwd: shared.cluster.folder });
  /** By a connection of its own, so of the primary that is the owner now. */
  const ask = (): Promise<ClusterStatus> => shared.cluster.status();

  /** Refused while the run goes on; with `--wait` it waits, and from then on no other run begins. */
  async function waitsFor({ run, reply, release }: HeldRun): Promise<number | undefined> {
    const { cluster } = shared;
    const { pid } = await ask();
    const refused = await quiesce(args(), { cwd: cluster.folder });
    expect(refused.code, refused.err).to.equal(6);
    expect(refused.err).to.include(run.id);
    const replaced = order('--wait');
    await cluster.said(new RegExp(`the handover waits for run ${run.id}`), 30_000);
    const other = await send(`${cluster.url}/api/sync`, { method: 'PUT', headers: json, body: '[]' });
    expect(other.status, other.text).to.be.oneOf([409, 503]);
    expect((await ask()).pid, 'while the run goes on').to.equal(pid);
    await release();
    const answer = await reply;
    expect(await replaced.ended, replaced.err()).to.equal(0);
    const after = await ask();
    expect(after.pid).to.not.equal(pid);
    expect(after.run).to.include({ id: run.id, state: 'succeeded' });
    return answer?.status;
  }

  for (const phase of syncPhases)
    it(`while a feed is ${phase} waits for it, and the caller is answered`, async () => {
      expect(await waitsFor(await holdSync(shared.cluster, proxy, phase, feed))).to.equal(204);
      expect(await shared.database.db.collection<object>('resources').find().toArray()).to.deep.equal([
        { _id: 'new', n: 2 },
      ]);
    });

  it('while an exclusive handler runs waits for it', async () => {
    expect(await waitsFor(await holdExclusive(shared.cluster, 'running'))).to.equal(200);
  });

  it('waits until requests are drained, and starts no run meanwhile', async () => {
    const { cluster } = shared;
    const { pid } = await ask();
    const busy = await straggler(cluster, 1);
    cluster.output = '';
    await cluster.control.maintenance({ on: true, reason: 'by hand' });
    const replaced = order();
    await cluster.said(/prepared to take over/, 60_000);
    const status = await ask();
    expect([status.pid, status.phase]).to.deep.equal([pid, 'draining']);
    const feedNow = await send(`${cluster.url}/api/sync`, { method: 'PUT', headers: json, body: '[]' });
    expect([feedNow.status, problemIn(feedNow).code]).to.deep.equal([503, 'stopping']);
    await busy.end();
    expect(await replaced.ended, replaced.err()).to.equal(0);
    const held = await ask();
    expect(held.pid).to.not.equal(pid);
    expect(held.holds.map(({ reason }) => reason)).to.deep.equal(['by hand']);
    await cluster.until('it is at rest', ({ phase }) => phase === 'quiesced');
    await cluster.control.maintenance({ on: false });
  });

  it('leaves the hold that becomes due meanwhile to its successor', async () => {
    const { cluster } = shared;
    const { pid } = await ask();
    await cluster.control.maintenance({
      on: true,
      at: new Date(Date.now() + 1_000).toISOString(),
      for: 60_000,
      reason: 'night',
    });
    const replaced = order();
    expect(await replaced.ended, replaced.err()).to.equal(0);
    const night = await until('it has begun', async () => {
      const now = await ask();
      return now.phase === 'quiesced' ? now : undefined;
    });
    expect(night.pid).to.not.equal(pid);
    expect(night.holds.map(({ reason }) => reason)).to.deep.equal(['night']);
    await cluster.control.maintenance({ on: false });
  });
});
