/** MongoDB goes away with half a feed written and stays away. */
import { expect } from 'chai';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { useClusters } from '../harness/clusters/clusters.ts';
import { quiesce } from '../harness/commands/command.ts';
import { lockDocument } from '../harness/mongodb/document-lock.ts';
import { json, send } from '../harness/clients/lines.ts';
import { MongoProxy } from '../harness/mongodb/mongo-proxy.ts';
import { isWriting } from '../harness/clusters/phases.ts';

const items = 12_000; // three batches

describe('a run that cannot be rolled forward', function () {
  this.timeout(60_000);
  const clusters = useClusters();
  let proxy: MongoProxy;

  beforeEach(async () => {
    proxy = await MongoProxy.start(clusters.database.uri);
  });
  afterEach(async () => proxy.close());

  it('keeps the gates shut and says why, until an operator abandons it', async () => {
    const cluster = await clusters.start({
      instances: 1,
      quiesce: {
        mongodb: { uri: proxy.uri, db: clusters.database.name },
        sync: { database_timeout: '1s', conflict_timeout: '60s', atomic: false, strategy: 'scan' },
      },
    });
    const stored = Array.from({ length: items }, (_, id) => ({ _id: id, version: 0 }));
    await clusters.database.db.collection<{ _id: number }>('resources').insertMany(stored);
    const unlock = await lockDocument(clusters.database, items / 2);
    const answer = put(cluster, 1);
    await cluster.until('a part is written', isWriting);
    await proxy.goAway();
    const { run, phase } = await cluster.until(
      'it is rolled forward',
      (status) => status.run?.state === 'rolling-forward',
    );
    expect((await answer).status).to.equal(202);
    expect(phase).to.equal('quiesced');
    expect(run?.error).to.include({ code: 'database-unavailable' });
    expect((await fetch(`${cluster.url}/api/resources`)).status).to.equal(503);

    const { code, err } = await quiesce(['runs', 'abandon', run!.id, '--data-dir', cluster.dataDir], {
      cwd: cluster.folder,
    });
    expect(code, err).to.equal(0);
    await cluster.until('it serves', (status) => status.phase === 'serving');
    await unlock();
    await proxy.comeBack();
    const [ended] = await cluster.control.runs(1);
    expect(ended).to.include({ id: run!.id, state: 'abandoned' });
    expect((await put(cluster, 2)).status).to.equal(204);
    expect(await clusters.database.db.collection('resources').distinct('version')).to.deep.equal([2]);
  });

  function put(cluster: Cluster, version: number): ReturnType<typeof send> {
    const feed = Array.from({ length: items }, (_, id) => ({ id, version }));
    return send(`${cluster.url}/api/sync`, { method: 'PUT', headers: json, body: JSON.stringify(feed) });
  }
});
