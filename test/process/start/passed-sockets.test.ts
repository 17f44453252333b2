/** Sockets of a service manager, sd_listen_fds(3): a shell passes them as systemd does. */
import { once } from 'node:events';
import { existsSync, linkSync, renameSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Load } from '../../../dev/load/load.ts';
import { freePort } from '../../../dev/free-port.ts';
import type { Cluster, ClusterOptions } from '../../../dev/cluster/cluster.ts';
import { scratchFolders } from '../../unit/scratch.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { quiesce } from '../harness/commands/command.ts';

const plain = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));
const builtIn = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
/** Descriptor 3 is the channel to the tests, which moves to 9 to make room for the socket. */
const asSystemd = 'exec 9<&3 3<&4 4<&-; export NODE_CHANNEL_FD=9 LISTEN_PID=$$; exec "$@"';
const options = {
  script: plain,
  keeper: true,
  under: ['sh', '-c', asSystemd, 'sh'],
  primaryEnv: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' },
} satisfies ClusterOptions;

describe('a socket that the service manager passes', function () {
  this.timeout(120_000);
  const clusters = usePlainClusters();
  const scratch = scratchFolders();

  /** Launches with a socket that listens already, and that this process does not accept on. */
  async function launch(cluster: Cluster, where: net.ListenOptions): Promise<void> {
    const server = net.createServer().listen(where);
    await once(server, 'listening');
    cluster.launch([(server as unknown as { _handle: { fd: number } })._handle.fd]);
    // The end of a server removes the name that it has bound.
    const { path } = where;
    if (path !== undefined) linkSync(path, `${path}.kept`);
    server.close();
    await once(server, 'close');
    if (path !== undefined) renameSync(`${path}.kept`, path);
  }

  const get = (where: http.RequestOptions): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      const request = http.get({ host: '127.0.0.1', agent: false, ...where }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.once('end', () => resolve([response.statusCode!, text]));
      });
      request.once('error', reject);
    });

  it('is served: connections wait from its beginning on, through the death and the replacement of a primary', async () => {
    const cluster = await clusters.create(options);
    await launch(cluster, { port: cluster.port, host: '127.0.0.1' });
    const [code, started] = await get({ port: cluster.port, path: '/started' });
    expect(code).to.equal(200);
    const { env } = JSON.parse(started) as { env: Record<string, string> };
    expect(Object.keys(env).filter((name) => /LISTEN/.test(name))).to.deep.equal([]);
    const { pid } = await cluster.ready();

    const refused: string[] = [];
    const onOutcome = (outcome: number | string): void => void (outcome === 'ECONNREFUSED' && refused.push(outcome));
    const load = new Load({
      url: cluster.url,
      connections: 2,
      keepAlive: false,
      pause: 20,
      timeout: 60_000,
      onOutcome,
    });
    process.kill(pid, 'SIGKILL');
    await cluster.until('another one serves', (status) => status.pid !== pid, 60_000);
    await cluster.ready();
    const replaced = await quiesce(['reload', '--primary', '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    expect(replaced.code, replaced.err).to.equal(0);
    expect((await get({ port: cluster.port }))[0]).to.equal(200);
    await load.stop();
    expect(refused).to.deep.equal([]);
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('may be a Unix socket, which stays when the app is stopped', async () => {
    const socketPath = join(scratch(), 'app.sock');
    const cluster = await clusters.create({ ...options, script: builtIn, instances: 1, env: { PORT: socketPath } });
    await launch(cluster, { path: socketPath });
    await cluster.ready();
    expect((await get({ socketPath, path: '/livez' }))[0]).to.equal(200);
    await cluster.stop();
    expect(existsSync(socketPath)).to.equal(true);
  });

  it('is refused where no worker can serve it, with what to change', async () => {
    const refused = async (said: RegExp, more: Partial<ClusterOptions>, port?: number): Promise<void> => {
      const cluster = await clusters.create({ ...options, instances: 1, ...more });
      await launch(cluster, { port: port ?? cluster.port, host: '127.0.0.1' });
      expect(await cluster.exited, cluster.output).to.deep.equal({ code: 2, signal: null });
      expect(cluster.output).to.match(said);
    };
    await refused(/does not listen on web \(127\.0\.0\.1:\d+\).*ListenStream=/, {}, await freePort());
    await refused(/Use scheduling: 'os'/, { quiesce: { scheduling: 'rr' } });
    await refused(/Leave --no-keeper out/, { keeper: false });
    await refused(/passes 50 sockets.*descriptor \d+ is not an open socket/, { primaryEnv: { LISTEN_FDS: '50' } });
  });

  it('is left alone where it is for another process, which is said once', async () => {
    const primaryEnv = { LISTEN_PID: '1', LISTEN_FDS: '1' };
    const said = /warning: Sockets of a service manager are not used .*for process 1 \(LISTEN_PID\)/g;
    for (const keeper of [true, false]) {
      const cluster = await clusters.start({ script: plain, keeper, instances: 1, primaryEnv });
      expect(cluster.output.match(said), cluster.output).to.have.length(1);
    }
  });
});
