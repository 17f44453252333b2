import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { hammer, startHosts, type Host } from '../harness/hosts/hosts.ts';
import { discard, newDatabase, type TestDatabase } from '../harness/mongodb/mongo.ts';
import { beforeLastChangeOf, installOf, type Installed } from '../harness/commands/older-version.ts';
import { until } from '../harness/until.ts';
import { overlapsIn, spansIn } from '../harness/hosts/witness.ts';

interface Document {
  readonly _id: string;
  readonly version: number;
  readonly hosts: Readonly<Record<string, { readonly name: string }>>;
  readonly later?: unknown;
}

describe('a host of the version before the last change of the site document, beside one of this version', function () {
  this.timeout(600_000);
  let hosts: Host[] = [];
  let database: TestDatabase | undefined;
  let folder: string;
  let witness: string;
  let older: Installed | undefined;

  before('both', async () => {
    older = await installOf(await beforeLastChangeOf('src/cluster/document.ts', 'src/cluster/store.ts'));
    console.log(`      the older one is ${older.commit}`);
    database = await newDatabase();
    folder = await mkdtemp(join(tmpdir(), 'quiesce-hosts-'));
    witness = join(folder, 'witness');
    hosts = await startHosts(['older', 'newer'], {
      uri: database.uri,
      db: database.name,
      witness,
      instances: 1,
      installed: { older },
    });
  });

  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const { name, cluster } of hosts) console.error(`--- ${name}\n${cluster.output}`);
  });

  after('they ended', async function () {
    this.timeout(60_000);
    await Promise.all(hosts.map((host) => host.close()));
    await older?.remove();
    await discard(database);
    await rm(folder, { recursive: true, force: true });
  });

  const documents = () => database!.db.collection<Document>('quiesce.cluster');
  const number = async (): Promise<number> => Object.keys((await documents().findOne({ _id: 'site' }))!.hosts).length;

  it('join, pause, mirror, hold, leave and join again together', async () => {
    const [old, young] = hosts as [Host, Host];
    expect(await number()).to.equal(2);
    // What a later version may add: it outlives what either of them writes.
    await documents().updateOne({ _id: 'site' }, { $set: { later: { some: 'thing' } }, $inc: { version: 1 } });
    const endHammer = hammer(hosts, 20);
    for (const host of [old, young, old]) {
      await host.runsAlone(60_000);
      for (const each of hosts) await each.serves();
      await until('its feed is mirrored', async () => (await host.put([{ id: 1, by: host.name }])) === 204, {
        within: 60_000,
        every: 100,
      });
      for (const each of hosts) await each.serves();
      expect(await database!.db.collection('resources').findOne({})).to.include({ by: host.name });
    }
    for (const [holder, opener] of [
      [old, young],
      [young, old],
    ] as const) {
      await holder.cluster.control.maintenance({ on: true, wait: true, timeout: 60_000, reason: 'upgrade' });
      expect(await opener.ask('/work')).to.equal(503);
      await opener.cluster.control.maintenance({ on: false });
      for (const each of hosts) await each.serves();
    }
    await endHammer();
    for (const [leaver, stayer] of [
      [old, young],
      [young, old],
    ] as const) {
      leaver.cluster.signal('SIGTERM');
      expect((await leaver.cluster.exited).code).to.equal(0);
      expect(await number()).to.equal(1);
      await stayer.runsAlone(60_000);
      leaver.cluster.launch();
      await leaver.cluster.ready(90_000);
      await leaver.serves();
      expect(await number()).to.equal(2);
      await leaver.runsAlone(60_000);
    }
    expect((await documents().findOne({ _id: 'site' }))!.later).to.deep.equal({ some: 'thing' });
    expect(overlapsIn(witness)).to.deep.equal([]);
    expect(spansIn(witness).filter(({ kind }) => kind === 'alone').length).to.be.above(8);
  });
});
