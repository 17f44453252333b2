/** What `quiesce start` needs of its surroundings and does not find: a port, a database. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { freePort } from '../../../dev/free-port.ts';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { isAlive } from '../harness/processes.ts';
import { until } from '../harness/until.ts';

const plain = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));
const withListen = fileURLToPath(new URL('../fixtures/trouble.js', import.meta.url));

describe('quiesce start', function () {
  this.timeout(60_000);
  const clusters = usePlainClusters();
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** Takes connections, and says nothing. */
  async function silentServer(port = 0): Promise<number> {
    const server = createServer().listen(port, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  it('ends with 7 well before the 30 s of the driver where there is no MongoDB, whatever it is that there is instead, and says what to set', async () => {
    const nowhere = await clusters.create({ quiesce: { mongodb: { uri: `mongodb://127.0.0.1:${await freePort()}` } } });
    const silent = await clusters.create({
      quiesce: { mongodb: { uri: `mongodb://127.0.0.1:${await silentServer()}` } },
    });
    const unset = await clusters.create();
    const began = performance.now();
    const refuse = async (cluster: Cluster): Promise<void> => {
      cluster.launch();
      expect(await cluster.exited, cluster.output).to.deep.equal({ code: 7, signal: null });
      expect(cluster.output)
        .to.match(/^quiesce: .*MONGODB_URI/m)
        .and.not.match(/^ +at /m);
      // No worker was started, and nothing is left that a later start would find.
      expect(cluster.output).to.not.include('worker 0.1');
      expect(await readdir(join(cluster.dataDir, 'journal'))).to.deep.equal([]);
      expect(await readdir(cluster.dataDir)).to.not.include.members(['primary.lock']);
    };
    await Promise.all([nowhere, silent, unset].map(refuse));
    expect(performance.now() - began).to.be.lessThan(29_000);
  });

  for (const [what, script] of [
    ['a server of its own', plain],
    ['listen()', withListen],
  ] as const) {
    it(`ends with 4 where the port of ${what} is in use, says which, and leaves the other server alone`, async () => {
      const cluster = await clusters.create({ script, instances: 2 });
      await silentServer(cluster.port);
      cluster.launch();
      expect(await cluster.exited).to.deep.equal({ code: 4, signal: null });
      expect(cluster.output).to.match(new RegExp(`^quiesce: .*EADDRINUSE.*${cluster.port}`, 'm'));
      expect(servers[0]!.listening).to.equal(true);
    });
  }

  it('ends with the shell that npx has put between, which passes no signal on', async () => {
    const cluster = await clusters.start({
      script: plain,
      instances: 1,
      under: ['sh', '-c', '"$@"; exit $?', 'sh'],
      primaryEnv: { npm_command: 'exec' },
    });
    const { pid } = await cluster.status();
    expect(pid).to.not.equal(cluster.pid);
    cluster.signal('SIGTERM');
    await until('the primary has ended', () => !isAlive(pid));
    expect(await cluster.exited).to.deep.equal({ code: null, signal: 'SIGTERM' });
  });

  it('serves without its dashboard where only that port is in use, and says so', async () => {
    const port = await silentServer();
    const cluster = await clusters.start({ script: plain, instances: 1, quiesce: { admin: { port } } });
    expect(cluster.output).to.match(new RegExp(`No dashboard on 127\\.0\\.0\\.1:${port}.*quiesce\\.admin\\.port`));
    expect((await fetch(cluster.url)).status).to.equal(200);
  });
});
