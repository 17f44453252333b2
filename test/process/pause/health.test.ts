import { expect } from 'chai';
import { lockFence } from '../harness/mongodb/fence-lock.ts';
import { problemIn, type Reply } from '../harness/clients/lines.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { SyncClient } from '../harness/clients/sync-client.ts';

const grace = 3_000;

describe('/livez and /readyz', function () {
  this.timeout(30_000);
  const shared = useSharedCluster({ instances: 1, quiesce: { maintenance: { ready_grace: grace } } });
  const client = new SyncClient(shared);

  async function expectReady(status: 200 | 503): Promise<Reply> {
    const live = await client.get('/livez');
    expect(live.status, live.text).to.equal(200);
    const ready = await client.get('/readyz');
    expect(ready.status, ready.text).to.equal(status);
    expect(ready.headers['cache-control']).to.equal('no-store');
    return ready;
  }

  it('are 200 while the cluster serves', () => expectReady(200));

  it('are 200 and 503 under the hold of an operator, at once', async () => {
    await shared.cluster.control.maintenance({ on: true, reason: 'a new disk' });
    const reply = await expectReady(503);
    expect(problemIn(reply).code).to.equal('paused');
    expect(reply.text).to.include('a new disk');
    expect(Number(reply.headers['retry-after'])).to.be.at.least(1);
    await shared.cluster.control.maintenance({ on: false });
    await expectReady(200);
  });

  it('are 200 in the pause of a run, and 503 only once that outlasts the grace', async () => {
    const unlock = await lockFence(shared.database);
    const put = client.put('[{"id":1}]');
    const { holds } = await shared.cluster.until('it is quiesced', ({ phase }) => phase === 'quiesced');
    await expectReady(200);
    expect((await client.get('/api/resources')).status, 'a gated request').to.equal(503);
    for (let status = 200; status === 200;) ({ status } = await client.get('/readyz'));
    expect(Date.now() - Date.parse(holds[0]!.since)).to.be.at.least(grace);
    await expectReady(503);
    await unlock();
    expect((await put).status).to.equal(204);
    await expectReady(200);
  });
});
