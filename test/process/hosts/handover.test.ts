import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { SiteHost } from '#quiesce/cluster/document.js';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { quiesce, type Ended } from '../harness/commands/command.ts';
import { hammer, startHosts, type Host } from '../harness/hosts/hosts.ts';
import { discard, newDatabase, type TestDatabase } from '../harness/mongodb/mongo.ts';
import { startQuiesce, type RunningCommand } from '../harness/commands/running-command.ts';
import { until } from '../harness/until.ts';
import { overlapsIn } from '../harness/hosts/witness.ts';

const lease = 6_000;
const grace = 1_000;
/** Until another host could have taken this one out. */
const counted = lease + grace + 1_000;

describe('the primary of a host is replaced', function () {
  this.timeout(180_000);
  let hosts: Host[] = [];
  let database: TestDatabase | undefined;
  let folder: string;
  let witness: string;
  let files = 0;

  before('two hosts', async () => {
    database = await newDatabase();
    folder = await mkdtemp(join(tmpdir(), 'quiesce-hosts-'));
    witness = join(folder, 'witness');
    await writeFile(witness, '');
    hosts = await startHosts(['replaced', 'other'], {
      uri: database.uri,
      db: database.name,
      witness,
      instances: 1,
      keeper: true,
      cluster: { lease: `${lease}ms`, eviction_grace: `${grace}ms` },
      app: { kill_timeout: 40_000 },
      quiesce: { maintenance: { drain_timeout: '60s' } },
    });
  });

  beforeEach('both serve', async () => {
    for (const host of hosts) {
      await host.serves();
      await host.cluster.until('one primary', ({ warnings }) => warnings === undefined, 60_000);
      host.cluster.output = '';
    }
  });

  afterEach('no handler was beside an exclusive one', function () {
    if (this.currentTest?.state === 'failed')
      for (const { name, cluster } of hosts) console.error(`--- ${name}\n${cluster.output}`);
    expect(overlapsIn(witness)).to.deep.equal([]);
  });

  after('hosts ended', async function () {
    this.timeout(60_000);
    await Promise.all(hosts.splice(0).map((host) => host.close()));
    await discard(database);
    await rm(folder, { recursive: true, force: true });
  });

  const args = ({ cluster }: Host): string[] => ['reload', '--primary', '--data-dir', cluster.dataDir];
  const replace = (host: Host): Promise<Ended> => quiesce(args(host), { cwd: host.cluster.folder });
  const replacing = (host: Host): RunningCommand => startQuiesce(args(host), { cwd: host.cluster.folder });

  /** The pid of a primary that serves and is not this one. A connection that is kept stays with the former one. */
  const nextServes = ({ cluster }: Host, former: number): Promise<number> =>
    until(
      'another primary serves',
      async () => {
        const status = ['status', '--json', '--data-dir', cluster.dataDir];
        const { code, out } = await quiesce(status, { cwd: cluster.folder });
        if (code !== 0) return null;
        const { pid, workers } = JSON.parse(out) as ClusterStatus;
        return pid !== former && workers.some(({ state }) => state === 'serving') ? pid : null;
      },
      { within: 90_000, every: 100 },
    );

  async function members(): Promise<SiteHost[]> {
    const site = await database!.db
      .collection<{ _id: string; hosts: Record<string, SiteHost> }>('quiesce.cluster')
      .findOne();
    return Object.values(site!.hosts);
  }
  const incarnations = async (): Promise<string[]> => (await members()).map(({ incarnation }) => incarnation).sort();

  /** A request that ends when it is let go. */
  async function longRequest(host: Host): Promise<{ letGo(): Promise<void>; status: Promise<number> }> {
    const file = join(folder, `let-go-${files++}`);
    const status = host.ask(`/work?until=${encodeURIComponent(file)}`, 'GET', 120_000);
    await host.cluster.until('a request is in flight', ({ workers }) => workers.some(({ inFlight }) => inFlight > 0));
    return { letGo: () => writeFile(file, ''), status };
  }

  it('without a failed request, and it stays the same member', async () => {
    const [host, other] = hosts as [Host, Host];
    const before = await incarnations();
    const { pid } = await host.cluster.status();
    const endHammer = hammer(hosts, 10);
    const { code, err } = await replace(host);
    expect(code, err).to.equal(0);
    const statuses = await endHammer();
    expect([...statuses.keys()]).to.deep.equal([200]);
    expect((await host.cluster.status()).pid).to.not.equal(pid);
    expect(await incarnations()).to.deep.equal(before);
    await other.runsAlone();
    await host.runsAlone();
  });

  it('and a feed of another host waits for what is in flight at the former primary, longer than a lease', async () => {
    const [host, other] = hosts as [Host, Host];
    const before = await incarnations();
    const { pid } = await host.cluster.status();
    const request = await longRequest(host);
    const order = replacing(host);
    await nextServes(host, pid);
    const feed = other.put([{ id: 'new', n: files }]);
    await other.cluster.until('it drains', ({ phase }) => phase === 'draining' || phase === 'quiesced');
    expect(await Promise.race([feed, delay(counted + 1_000, 'waits')])).to.equal('waits');
    expect(await host.ask('/work')).to.equal(503);
    await request.letGo();
    expect(await request.status).to.equal(200);
    expect(await feed).to.equal(204);
    expect(await order.ended, order.err()).to.equal(0);
    expect(await incarnations()).to.deep.equal(before);
  });

  it('and the successor is killed: the next one waits for the former primary, then joins anew', async () => {
    const [host, other] = hosts as [Host, Host];
    const before = await incarnations();
    const { pid } = await host.cluster.status();
    const request = await longRequest(host);
    const order = replacing(host);
    process.kill(await nextServes(host, pid), 'SIGKILL');
    const alone = other.runsAlone(60_000);
    expect(await Promise.race([alone, delay(1_500, 'waits')])).to.equal('waits');
    await request.letGo();
    expect(await request.status).to.equal(200);
    await alone;
    await order.ended;
    await host.serves();
    expect(await incarnations()).to.have.length(2);
    expect(await incarnations()).to.not.deep.equal(before);
    await host.runsAlone();
  });

  for (const moment of [/prepared to take over/, /is handed over to the successor/])
    it(`and the former primary is killed after "${moment.source}": its successor goes on`, async () => {
      const [host, other] = hosts as [Host, Host];
      const { pid } = await host.cluster.status();
      const order = replacing(host);
      await host.cluster.said(moment, 60_000);
      process.kill(pid, 'SIGKILL');
      await nextServes(host, pid);
      await order.ended;
      expect(await members()).to.have.length(2);
      await other.runsAlone();
      await host.runsAlone();
    });
});
