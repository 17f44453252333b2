import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { storedOrders } from '#quiesce/primary/admin/order-history.js';
import { useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));

describe('orders that cross', function () {
  this.timeout(60_000);
  const shared = useSharedPlainCluster({ script: app, instances: 2 });

  it('a reload waits with the worker whose exclusive run is going on, and that run ends well', async () => {
    const { cluster } = shared;
    // Longer than kill_timeout: a worker that was stopped in the middle of it would be killed.
    const alone = fetch(`${cluster.url}/alone?ms=3000`, { method: 'POST' });
    await cluster.until('the run is going on', ({ run }) => run?.state === 'running');
    await cluster.control.reload();
    const answer = await alone;
    expect(answer.status, await answer.text()).to.equal(200);
    const { workers, run, phase } = await cluster.ready();
    expect([run?.state, phase]).to.deep.equal(['succeeded', 'serving']);
    expect(workers.map(({ incarnation }) => incarnation)).to.deep.equal([2, 2]);
    expect(cluster.output).not.to.match(/is killed/);
  });

  it('a worker that is reloaded under an operator hold starts shut, and opens with the others', async () => {
    const { cluster } = shared;
    await cluster.control.maintenance({ on: true, reason: 'inventory' });
    await cluster.control.reload();
    expect((await fetch(`${cluster.url}/work`)).status).to.equal(503);
    await cluster.control.maintenance({ on: false });
    expect((await fetch(`${cluster.url}/work`)).status).to.equal(200);
  });

  it('are kept with who gave them, over any way, and without the secret of a hold', async () => {
    const { cluster } = shared;
    const before = (await storedOrders(cluster.dataDir)).length;
    await cluster.control.maintenance({ on: true, reason: 'move', by: 'ann', secret: 'open-sesame' });
    process.kill(cluster.pid, 'SIGUSR2');
    await cluster.until('it is released', ({ holds }) => holds.length === 0);
    await cluster.control.reload({ by: 'ann' });
    await cluster.control.scale(3, { by: 'bob' });
    process.kill(cluster.pid, 'SIGTTOU');
    await cluster.until('it has two again', ({ workers }) => workers.length === 2);
    const given = (await storedOrders(cluster.dataDir)).slice(before).map(({ time: _time, ...order }) => order);
    expect(given).to.deep.equal([
      { order: 'maintenance on', by: 'ann', reason: 'move' },
      { order: 'maintenance off', by: 'SIGUSR2' },
      { order: 'reload', by: 'ann' },
      { order: 'scale', by: 'bob', instances: 3 },
      { order: 'scale', by: 'SIGTTOU', step: -1 },
    ]);
  });

  // The last one: it ends the cluster of all.
  it('reloads, scales and a stop at the same moment are each answered, and the stop wins', async () => {
    const { cluster } = shared;
    const answers = Promise.allSettled([
      cluster.control.reload(),
      cluster.control.scale(4),
      cluster.control.reload(),
      cluster.control.scale(3),
    ]);
    await cluster.until('they have begun', ({ workers }) => workers.length > 2);
    await cluster.control.stop(false);
    expect(await cluster.exited).to.deep.equal({ code: 0, signal: null });
    for (const answer of await answers) {
      if (answer.status === 'rejected')
        expect(answer.reason).to.have.property('code').that.is.oneOf(['stopping', 'no-primary']);
    }
  });
});
