/** The power goes while a feed is written and after it was acknowledged. `QUIESCE_CRASHES=50` for as many cuts at any moment. */
import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { useClusters } from '../harness/clusters/clusters.ts';
import { lockDocument } from '../harness/mongodb/document-lock.ts';
import { PowerCut } from '../harness/power-cut.ts';
import { until } from '../harness/until.ts';
import { putVersion } from '../harness/clients/versions.ts';

const more = Number(process.env['QUIESCE_CRASHES'] ?? 0);

const items = 12_000; // three batches

const nothing = (): boolean => false;
const anything = (): boolean => Math.random() < 0.5;

describe('a power cut that takes whatever was not synced', function () {
  this.timeout(60_000 + more * 15_000);
  const clusters = useClusters();
  let store: string;

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    store = await mkdtemp(join(tmpdir(), 'quiesce-store-'));
  });
  after(async () => {
    if (store) await rm(store, { recursive: true, force: true });
  });

  it('leaves either no trace of a run or all of it, once the cluster serves again', async () => {
    const primaryEnv: Record<string, string> = {};
    const cluster = await clusters.create({
      quiesce: {
        mongodb: { uri: clusters.database.uri, db: clusters.database.name },
        sync: { atomic: false, strategy: 'scan', conflict_timeout: '60s' },
      },
      instances: 1,
      group: true,
      primaryEnv,
    });
    Object.assign(primaryEnv, PowerCut.env(cluster.folder, store));
    const disk = new PowerCut(cluster.folder, store);
    const cut = async (survives: () => boolean): Promise<void> => {
      process.kill(-cluster.pid, 'SIGKILL');
      await cluster.exited;
      disk.happen(survives);
    };
    cluster.launch();
    await cluster.ready();
    expect((await putVersion(cluster.url, 0, items)).status).to.equal(204);
    const unlock = await lockDocument(clusters.database, items / 2);
    const sent = putVersion(cluster.url, 1, items).catch(() => null);
    await until('a part of it is written', async () => (await stored()).length === 2);
    await cut(nothing);
    await sent;
    await unlock();
    expect(await stored(), 'in the database, with nobody there').to.have.members([0, 1]);
    cluster.launch();
    await cluster.ready();
    expect(await versions(cluster), 'a feed that was half written').to.deep.equal([1]);
    const [run] = await cluster.control.runs(1);
    expect(run).to.include({ state: 'succeeded' });
    expect(run?.notes?.[0]).to.match(/rolled it forward/);

    await anyMoments(cluster, cut);
  });

  async function anyMoments(cluster: Cluster, cut: (survives: () => boolean) => Promise<void>): Promise<void> {
    const outcomes: string[] = [];
    const { ms } = await putVersion(cluster.url, 2, items);
    let acknowledged = 2;
    for (let version = 3; version < 3 + more; version++) {
      const moment = (1.2 * ms * (version - 2 - Math.random())) / more;
      const sent = putVersion(cluster.url, version, items).catch(() => null);
      await delay(moment);
      await cut(version % 2 === 0 ? anything : nothing);
      if ((await sent)?.status === 204) acknowledged = version;
      cluster.launch();
      await cluster.ready();
      const found = await versions(cluster);
      expect(found, `cut ${moment.toFixed(0)} ms after the PUT`).to.have.length(1);
      expect(found[0], `cut ${moment.toFixed(0)} ms after the PUT`).to.be.at.least(acknowledged);
      outcomes.push(`${moment.toFixed(0)} ms: ${found[0] === version ? 'there' : 'not begun'}`);
    }
    if (more > 0) console.log(`        ${outcomes.join(', ')}`);
  }

  async function stored(): Promise<unknown[]> {
    return clusters.database.db.collection('resources').distinct('version');
  }

  async function versions(cluster: Cluster): Promise<unknown[]> {
    await until('the app to serve', async () => (await fetch(`${cluster.url}/api/resources?limit=1`)).ok, {
      within: 60_000,
    });
    return stored();
  }
});
