/** A mirror that is not done in time, with a part of it written: a transaction of ours holds a document of the next batch. */
import { expect } from 'chai';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { useClusters } from '../harness/clusters/clusters.ts';
import { lockDocument } from '../harness/mongodb/document-lock.ts';
import { json, problemIn, send, type Reply } from '../harness/clients/lines.ts';
import { isWriting } from '../harness/clusters/phases.ts';
import { until } from '../harness/until.ts';

const items = 12_000; // three batches

describe('a mirror that passes sync.run_timeout while it writes', function () {
  this.timeout(60_000);
  const clusters = useClusters();

  it('is taken back: the collection is what it was', async () => {
    const { cluster, reply, unlock } = await overdue('60s');
    await until('it is cancelled', () => / is cancelled/.test(cluster.output));
    await unlock();
    const refused = await reply;
    expect(problemIn(refused), refused.text).to.include({ status: 500, code: 'run-timeout' });
    await cluster.until('it serves', ({ phase }) => phase === 'serving');
    expect(await versions()).to.deep.equal([0]);
  });

  it('is rolled forward where what was written cannot be put back within sync.database_timeout', async () => {
    const { cluster, reply, unlock } = await overdue('1s');
    const first = clusters.database.db.collection<{ _id: number; version: number }>('resources');
    await until('the first batch is written', async () => (await first.findOne({ _id: 0 }))?.version === 1);
    const unlockWritten = await lockDocument(clusters.database, 0); // only what was written has to be put back
    await cluster.until('it is rolled forward', ({ run }) => run?.state === 'rolling-forward');
    expect((await fetch(`${cluster.url}/api/resources`)).status).to.equal(503);
    expect((await reply).status).to.equal(202);
    await Promise.all([unlock(), unlockWritten()]);
    await cluster.until('it serves', ({ phase }) => phase === 'serving');
    expect(await versions()).to.deep.equal([1]);
    const [run] = await cluster.control.runs(1);
    expect(run?.notes).to.contain('It had stopped half-way and was rolled forward.');
  });

  async function overdue(
    databaseTimeout: string,
  ): Promise<{ cluster: Cluster; reply: Promise<Reply>; unlock(): Promise<void> }> {
    const { uri, name } = clusters.database;
    const sync = {
      run_timeout: '5s',
      database_timeout: databaseTimeout,
      conflict_timeout: '60s',
      atomic: false,
      strategy: 'scan',
    };
    const cluster = await clusters.start({ instances: 1, quiesce: { mongodb: { uri, db: name }, sync } });
    const stored = Array.from({ length: items }, (_, id) => ({ _id: id, version: 0 }));
    await clusters.database.db.collection<{ _id: number }>('resources').insertMany(stored);
    const unlock = await lockDocument(clusters.database, items / 2);
    const reply = put(cluster, 1);
    await cluster.until('a part is written', isWriting);
    return { cluster, reply, unlock };
  }

  function put(cluster: Cluster, version: number): Promise<Reply> {
    const feed = Array.from({ length: items }, (_, id) => ({ id, version }));
    return send(`${cluster.url}/api/sync`, { method: 'PUT', headers: json, body: JSON.stringify(feed) });
  }

  async function versions(): Promise<unknown[]> {
    return clusters.database.db.collection('resources').distinct('version');
  }
});
