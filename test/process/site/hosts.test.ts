import { join } from 'node:path';
import { expect } from 'chai';
import { newSite } from '#quiesce/cluster/founding.js';
import { createHosts, hammer, startHosts, type Host } from '../harness/hosts/hosts.ts';
import { useDatabase } from '../harness/mongodb/mongo.ts';
import { until } from '../harness/until.ts';
import { overlapsIn, spansIn } from '../harness/hosts/witness.ts';
import { scratchFolders } from '../../unit/scratch.ts';

describe('several hosts of one cluster', () => {
  const database = useDatabase();
  const scratch = scratchFolders();
  let hosts: Host[] = [];

  afterEach('hosts ended', async function () {
    this.timeout(30_000);
    if (this.currentTest?.state === 'failed') for (const { cluster } of hosts) console.error(cluster.output);
    await Promise.all(hosts.splice(0).map((host) => host.close()));
  });

  const cluster = { lease: '6s', eviction_grace: '1s' };
  const start = async (names: readonly string[], witness: string): Promise<void> => {
    hosts = await startHosts(names, { uri: database.uri, db: database.name, witness, instances: 1, cluster });
  };

  it('pause together for an exclusive run of any of them, one at a time', async () => {
    const witness = join(scratch(), 'witness');
    await start(['A', 'B', 'C'], witness);
    const end = hammer(hosts);
    const answers: number[] = [];
    for (let round = 0; round < 3; round++) {
      answers.push(...(await Promise.all(hosts.map((host) => host.ask('/alone?ms=60', 'POST')))));
      for (const host of hosts) await host.serves();
    }
    const statuses = await end();
    expect(overlapsIn(witness)).to.deep.equal([]);
    expect(answers.filter((status) => status === 200).length, 'one of those that come together runs').to.be.at.least(3);
    for (const status of answers) expect(status).to.be.oneOf([200, 409]);
    for (const status of statuses.keys()) expect(status).to.be.oneOf([200, 503]);
    expect(spansIn(witness).filter(({ kind, isWhole }) => kind === 'work' && isWhole).length).to.be.above(20);
  });

  it('join anew where their document is restored from a backup, and where it is removed', async function () {
    this.timeout(300_000);
    const witness = join(scratch(), 'witness');
    await start(['A', 'B'], witness);
    const documents = database.db.collection<{ _id: string; identity: string; epoch: number; hosts: object }>(
      'quiesce.cluster',
    );
    const backup = (await documents.findOne({ _id: 'site' }))!;
    for (const host of hosts) await host.runsAlone();
    const { epoch } = (await documents.findOne({ _id: 'site' }))!;
    const end = hammer(hosts);
    // It knows one of them, and its epoch has been used.
    const [first] = Object.entries(backup.hosts);
    await documents.replaceOne({ _id: 'site' }, { ...backup, hosts: Object.fromEntries([first!]) });
    const anew = async (identity: string, above: number): Promise<{ identity: string; epoch: number }> =>
      until(
        'both hosts have joined a new document',
        async () => {
          const found = await documents.findOne({ _id: 'site' });
          const isNew = found !== null && found.identity !== identity && Object.keys(found.hosts).length === 2;
          return isNew && found.epoch > above ? found : null;
        },
        { within: 90_000 },
      );
    const restored = await anew(backup.identity, epoch);
    for (const host of hosts) await host.runsAlone(60_000);
    await documents.deleteOne({ _id: 'site' });
    await anew(restored.identity, restored.epoch);
    for (const host of hosts) await host.runsAlone(60_000);
    const statuses = await end();
    expect(overlapsIn(witness)).to.deep.equal([]);
    for (const status of statuses.keys()) expect(status).to.be.oneOf([200, 503]);
  });

  it('do not start where the document is of a newer version, and say what to do', async () => {
    await database.db
      .collection<{ _id: string; format: number }>('quiesce.cluster')
      .insertOne({ _id: 'site', format: 2, ...newSite('one', 0, null) });
    const [host] = await createHosts(['A'], { uri: database.uri, db: database.name, witness: '', instances: 1 });
    hosts = [host!];
    host!.cluster.launch();
    expect((await host!.cluster.exited).code).to.equal(2);
    expect(host!.cluster.output).to.match(
      /its format is 2, and this version knows formats up to 1\. Start this host with the version/,
    );
  });
});
