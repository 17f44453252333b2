import { expect } from 'chai';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { startCluster, type Cluster } from '../../../dev/cluster/cluster.ts';

const script = fileURLToPath(new URL('../../../../test/process/fixtures/programs/stranger.cjs', import.meta.url));

describe('an app that has never heard of quiesce', function () {
  this.timeout(60_000);
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster({ script });
  });
  after(() => cluster.close());

  it('is held and drained as a whole', async () => {
    const body = new PassThrough();
    const inFlight = fetch(`${cluster.url}/hold`, { method: 'POST', body: Readable.toWeb(body), duplex: 'half' });
    body.write('on its way');
    await cluster.until('the request to be in flight', ({ workers }) =>
      workers.some((worker) => worker.inFlight === 1),
    );
    await cluster.control.maintenance({ on: true, reason: 'moving' });
    expect((await cluster.status()).phase).to.equal('draining');
    const refused = await fetch(cluster.url);
    expect(refused.status).to.equal(503);
    expect(await refused.json()).to.include({ code: 'paused' });
    body.end();
    expect(await (await inFlight).text()).to.equal('held');
    await cluster.until('the drain', ({ phase }) => phase === 'quiesced');
    await cluster.control.maintenance({ on: false });
    expect(await (await fetch(cluster.url)).text()).to.equal('hello');
  });
});
