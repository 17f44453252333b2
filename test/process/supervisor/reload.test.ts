import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Load } from '../../../dev/load/load.ts';
import { useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';

const app = fileURLToPath(new URL('../fixtures/trouble.js', import.meta.url));

describe('reload and scale', function () {
  this.timeout(120_000);
  const shared = useSharedPlainCluster({ script: app, instances: 2, env: { BROKEN: 'broken' } });
  /** Its workers keep idle connections for the whole second, and are not killed on a slow machine. */
  const patient = useSharedPlainCluster({ script: app, instances: 2, app: { kill_timeout: 15_000 } });

  /** While it is there, no worker can boot. */
  const broken = (): string => join(shared.cluster.folder, 'broken');
  afterEach('the build is mended', () => rm(broken(), { force: true }));

  it('fail not one request of 300 ms, or short ones, on keep-alive connections', async () => {
    const { cluster } = shared;
    const load = new Load({ url: cluster.url, paths: ['/?ms=300', '/'], connections: 24 });
    const before = await cluster.status();
    for (let reload = 0; reload < 3; reload++) await cluster.control.reload();
    const { workers } = await cluster.control.scale(4);
    expect(workers.filter(({ state }) => state === 'serving')).to.have.length(4);
    await cluster.control.scale(2);
    const report = await load.stop();
    expect(report.failures, JSON.stringify(report)).to.deep.equal({});
    expect(Object.keys(report.byStatus)).to.deep.equal(['200']);
    const after = await cluster.ready();
    expect(after.workers.map(({ slot, incarnation, restarts }) => [slot, incarnation, restarts])).to.deep.equal(
      before.workers.map(({ slot, incarnation }) => [slot, incarnation + 3, 0]),
    );
    const pids = new Set(after.workers.map(({ pid }) => pid));
    expect(before.workers.filter(({ pid }) => pids.has(pid))).to.deep.equal([]);
  });

  it('fail no request of 2 s and no stream that was under way', async () => {
    // A stream that has begun cannot announce the close, so one more request may follow it.
    const { cluster } = patient;
    const load = new Load({ url: cluster.url, paths: ['/?ms=2000', '/stream?ms=1500'], connections: 24 });
    await cluster.control.reload();
    const report = await load.stop();
    expect(report.failures, `${JSON.stringify(report)}\n${cluster.output}`).to.deep.equal({});
  });

  it('fail nobody whose connection sends at least once a second, nor a connection for each request', async () => {
    const { cluster } = patient;
    const failed: [outcome: string, interval: number | null][] = [];
    let kept = 0;
    const calm = new Load({
      url: cluster.url,
      connections: 20,
      pause: 600,
      onOutcome(outcome, _began, _ended, interval) {
        // Whoever is silent for longer may send in just the moment in which the connection is closed: RFC 9112, 9.5.
        if (interval !== null && interval >= 1000) return;
        if (typeof outcome === 'string') failed.push([outcome, interval]);
        else if (interval !== null) kept++;
      },
    });
    const fresh = new Load({ url: cluster.url, connections: 4, keepAlive: false, pause: 10 });
    await cluster.control.reload();
    const [, report] = await Promise.all([calm.stop(), fresh.stop()]);
    expect(failed, cluster.output).to.deep.equal([]);
    expect(kept).to.be.above(0);
    expect(report.failures).to.deep.equal({});
  });

  it('a build that cannot boot ends the reload with its reason, and the old workers serve on', async () => {
    const { cluster } = shared;
    const load = new Load({ url: cluster.url, connections: 4, pause: 5 });
    const { workers: before } = await cluster.status();
    await writeFile(broken(), '');
    const outcome = await cluster.control.reload().then(
      () => null,
      (error: Error & { code?: string }) => error,
    );
    expect(outcome).to.include({ code: 'boot-failed' });
    expect(outcome?.message).to.match(/this build has no column named tenant/);
    const { workers } = await cluster.status();
    expect(workers.map(({ pid, state }) => [pid, state])).to.deep.equal(before.map(({ pid }) => [pid, 'serving']));
    await rm(broken());
    await cluster.control.reload();
    expect((await load.stop()).failures).to.deep.equal({});
    const [first, second] = before.map(({ incarnation }) => incarnation);
    expect((await cluster.ready()).workers.map(({ incarnation }) => incarnation)).to.deep.equal([
      first! + 2,
      second! + 1,
    ]);
  });

  it('a scale up that cannot boot is taken back', async () => {
    const { cluster } = shared;
    await writeFile(broken(), '');
    const outcome = await cluster.control.scale(4).catch((error: Error) => error);
    expect(outcome).to.include({ code: 'boot-failed' });
    await cluster.until('two workers are left', ({ workers }) => {
      return workers.length === 2 && workers.every(({ state }) => state === 'serving');
    });
  });
});
