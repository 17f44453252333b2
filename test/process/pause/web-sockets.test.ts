import { expect } from 'chai';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { handshake } from '../harness/clients/handshake.ts';
import { useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';

const script = fileURLToPath(new URL('../fixtures/sockets-app.js', import.meta.url));

for (const [title, env] of [
  ['without gate()', {}],
  ['with gate(), on a server that it makes itself', { GATED: '1' }],
] as const) {
  describe(`an app with WebSockets, ${title}`, function () {
    this.timeout(30_000);
    const quiesce = { maintenance: { except: ['/healthz'] } };
    const shared = useSharedPlainCluster({ script, env, instances: 1, quiesce });

    it('accepts none during a hold, keeps those it has, and answers what is excepted', async () => {
      const { cluster } = shared;
      const open = new WebSocket(cluster.url.replace('http', 'ws'));
      await once(open, 'open');
      await cluster.control.maintenance({ on: true });
      await cluster.until('it is quiesced', ({ phase }) => phase === 'quiesced');
      const refused = await handshake(cluster);
      expect(refused.status).to.equal(503);
      expect(Number(refused.retryAfter)).to.be.at.least(1);
      const statusOf = async (path: string): Promise<number> => (await fetch(cluster.url + path)).status;
      expect(await statusOf('/')).to.equal(503);
      expect(await statusOf('/healthz')).to.equal(200);
      open.send('still there');
      const [echo] = (await once(open, 'message')) as [Buffer];
      expect(String(echo)).to.equal('still there');
      open.terminate();
      await cluster.control.maintenance({ on: false });
      expect((await handshake(cluster)).status).to.equal(101);
    });
  });
}
