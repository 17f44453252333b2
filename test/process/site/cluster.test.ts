import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { connectToWorkers } from '../../../dev/cluster/connection.ts';
import { useClusters } from '../harness/clusters/clusters.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));

describe('a cluster', function () {
  this.timeout(60_000);
  const clusters = useClusters();

  it('serves from every worker, and stops with exit code 0 on SIGTERM', async () => {
    const cluster = await clusters.start({ script: app, instances: 4 });
    const connections = await connectToWorkers(cluster.url, 4);
    expect(connections.map(({ slot }) => slot)).to.have.members([0, 1, 2, 3]);
    const answers = await Promise.all(connections.map((connection) => connection.request('/work')));
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200]);
    expect(answers.map(({ slot }) => slot)).to.deep.equal(connections.map(({ slot }) => slot));
    await Promise.all(connections.map((connection) => connection.close()));
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
