import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { hammer, startHosts, type Host } from '../harness/hosts/hosts.ts';
import { ReplicaSet } from '../harness/mongodb/replica-set.ts';
import { overlapsIn } from '../harness/hosts/witness.ts';

describe('hosts on a replica set of three, with the default lease', function () {
  this.timeout(240_000);
  let set: ReplicaSet;
  let folder: string;
  let witness: string;
  let hosts: Host[] = [];

  before('a replica set and two hosts', async function () {
    if (process.env['MONGODB_URI']) this.skip(); // that one is not ours to kill
    set = await ReplicaSet.start();
    folder = await mkdtemp(join(tmpdir(), 'quiesce-hosts-'));
    witness = join(folder, 'witness');
    hosts = await startHosts(['A', 'B'], { uri: set.uri, db: 'site', witness, instances: 1 });
  });

  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const { name, cluster } of hosts) console.error(`--- ${name}\n${cluster.output}`);
  });

  after('all of it ended', async function () {
    this.timeout(60_000);
    await Promise.all(hosts.map((host) => host.close()));
    await set?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** None of them has thought of its lease. */
  function nobodyShut(): void {
    for (const { cluster } of hosts) expect(cluster.output).not.to.match(/lease|taken out|not in the cluster/);
    expect(overlapsIn(witness)).to.deep.equal([]);
  }

  async function mirrored(): Promise<object[]> {
    const client = new MongoClient(set.uri);
    try {
      return await client.db('site').collection('resources').find().toArray();
    } finally {
      await client.close();
    }
  }

  it('shut for no election: nothing is refused while there is no primary, and a run goes on through the next one', async () => {
    const [a, b] = hosts as [Host, Host];
    await a.runsAlone();
    const end = hammer(hosts, 10);
    await set.stepDown();
    expect([...(await end()).keys()]).to.deep.equal([200]);
    const letGo = join(folder, randomUUID());
    const run = a.ask(`/alone?until=${encodeURIComponent(letGo)}`, 'POST');
    await a.cluster.until('its run is at work', ({ run: its }) => its?.state === 'running', 30_000);
    await set.stepDown();
    await writeFile(letGo, '');
    expect(await run).to.equal(200);
    await b.runsAlone();
    nobodyShut();
  });

  it('shut for no primary that is killed: nothing is refused, and the next run waits for the election', async () => {
    const [a, b] = hosts as [Host, Host];
    for (const host of hosts) await host.serves();
    const end = hammer(hosts, 10);
    await set.killPrimary();
    expect([...(await end()).keys()]).to.deep.equal([200]);
    await a.runsAlone();
    await b.runsAlone();
    nobodyShut();
  });

  const strikes: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['an election', () => set.stepDown()],
    ['the death of the primary', () => set.killPrimary()],
  ];
  for (const [name, strike] of strikes) {
    it(`lose no run to ${name} while its feed is prepared`, async () => {
      const [a, b] = hosts as [Host, Host];
      await set.mend();
      for (const host of hosts) await host.serves();
      // What a preparation asks for first, and nothing else does: it is at that while another primary is elected.
      await set.delayNext('listCollections', 8_000);
      const put = a.put([{ id: 1, prepared: name }]);
      await a.cluster.until('its feed is prepared', ({ run }) => run?.state === 'preparing', 30_000);
      await strike();
      expect(await put, 'of the feed').to.equal(204);
      for (const host of hosts) await host.serves();
      expect(await mirrored()).to.deep.equal([{ _id: 1, prepared: name }]);
      await set.mend();
      await b.runsAlone();
      nobodyShut();
    });

    it(`lose no run to ${name}: a feed that is uploaded, a run that drains, one at work`, async () => {
      const [a, b] = hosts as [Host, Host];
      await set.mend();
      for (const host of hosts) await host.serves();
      const upload = request(`${a.cluster.url}/api/sync`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json', Connection: 'close' },
      });
      const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
      upload.write(`[{"id":1,"by":"${name}"}`);
      await a.cluster.until('a feed is uploaded', ({ run }) => run?.state === 'uploading', 30_000);
      await strike();
      upload.end(']');
      const [{ statusCode }] = await answered;
      expect(statusCode, 'of the feed').to.equal(204);
      await set.mend();
      for (const host of hosts) await host.serves();
      const [letGo, finish] = [join(folder, randomUUID()), join(folder, randomUUID())];
      const slow = b.ask(`/work?until=${encodeURIComponent(letGo)}`, 'GET', 120_000);
      await b.cluster.until('a request is in flight', ({ workers }) => workers.some(({ inFlight }) => inFlight > 0));
      const run = a.ask(`/alone?until=${encodeURIComponent(finish)}`, 'POST', 200_000);
      await a.cluster.until('its run drains', ({ run: its }) => its?.state === 'draining', 30_000);
      await strike();
      await writeFile(letGo, '');
      expect(await slow, 'of the request that the run waits for').to.equal(200);
      await set.mend();
      await a.cluster.until('its run is at work', ({ run: its }) => its?.state === 'running', 30_000);
      await strike();
      await writeFile(finish, '');
      expect(await run, 'of the run').to.equal(200);
      nobodyShut();
    });
  }
});
