import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { scratchFolders } from '../../unit/scratch.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { quiesceCommand, quiesce } from '../harness/commands/command.ts';
import { isAlive } from '../harness/processes.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));

/** What comes of a request on a connection of its own: a status, or the code of its failure. */
function ask(where: http.RequestOptions): Promise<number | string> {
  return new Promise((resolve) => {
    const request = http.get({ ...where, agent: false }, (response) => {
      response.resume();
      response.once('close', () => resolve(response.complete ? response.statusCode! : 'ECONNRESET'));
    });
    request.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

describe('a site under its keeper', function () {
  this.timeout(120_000);
  const clusters = usePlainClusters();
  const scratch = scratchFolders();
  const options = { script: app, keeper: true } as const;

  const nextPrimary = (cluster: Cluster, former: number): Promise<ClusterStatus> =>
    cluster.until(
      'the next primary serves',
      ({ pid, workers }) => pid !== former && workers.length === 2 && workers.every(({ state }) => state === 'serving'),
      30_000,
    );

  it('refuses no connection while its primary is killed, again and again, and holds what was held', async () => {
    const cluster = await clusters.start(options);
    const outcomes: (number | string)[] = [];
    let over = false;
    const clients = Array.from({ length: 4 }, async () => {
      while (!over) outcomes.push(await ask({ host: '127.0.0.1', port: cluster.port }));
    });
    try {
      for (let kills = 0; kills < 2; kills += 1) {
        const { pid } = await cluster.status();
        expect(pid).to.not.equal(cluster.pid);
        process.kill(pid, 'SIGKILL');
        await nextPrimary(cluster, pid);
      }
    } finally {
      over = true;
    }
    await Promise.all(clients);
    const failed = outcomes.filter((outcome) => outcome !== 200);
    expect(outcomes).to.include(200);
    // Lost is what was in flight at a kill, one request of each client at most.
    expect(failed.length, String(failed)).to.be.at.most(2 * clients.length);
    expect(failed).to.not.include('ECONNREFUSED');

    await cluster.control.maintenance({ on: true, wait: true });
    const { pid } = await cluster.status();
    process.kill(pid, 'SIGKILL');
    const held = await cluster.until('it is back', (status) => status.pid !== pid, 30_000);
    expect(held.phase).to.equal('quiesced');
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
    expect(await ask({ host: '127.0.0.1', port: cluster.port })).to.equal('ECONNREFUSED');
  });

  it('passes signals on, whether sent to it alone or to its process group, and names both pids to a second start', async () => {
    const cluster = await clusters.start({ ...options, group: true });
    const { pid } = await cluster.status();
    cluster.signal('SIGUSR2');
    await cluster.until('it is held', ({ phase }) => phase === 'quiesced');
    process.kill(-cluster.pid, 'SIGUSR2');
    await cluster.until('it serves', ({ phase }) => phase === 'serving');
    const twin = await quiesce(['start', cluster.configFile], { cwd: cluster.folder });
    expect(twin.code).to.equal(3);
    expect(twin.err).to.include(`pid ${pid} `).and.include(`pid ${cluster.pid})`);
    process.kill(-cluster.pid, 'SIGINT');
    expect(await cluster.exited).to.deep.equal({ code: 0, signal: null });
  });

  it('ends with the exit code of a primary that cannot start, and with the signal that ends one', async () => {
    const broken = await clusters.create({ ...options, env: { BROKEN: '1' } });
    broken.launch();
    expect(await broken.exited).to.deep.equal({ code: 4, signal: null });
    expect(broken.output).to.include('this build is broken');
    const wrong = await clusters.create({ ...options, app: { instances: 'many' } });
    wrong.launch();
    expect(await wrong.exited).to.deep.equal({ code: 2, signal: null });
    const early = await clusters.create(options);
    early.launch();
    await until('it holds the lock', () => existsSync(join(early.dataDir, 'primary.json')), { every: 1 });
    early.signal('SIGTERM');
    const { code, signal } = await early.exited;
    expect(signal ?? code).to.be.oneOf(['SIGTERM', 0]); // it may just have begun to listen for it
  });

  it('listens on its Unix socket through the death of the primary, and leaves no file behind when it is stopped', async () => {
    const socketPath = join(scratch(), 'app.sock');
    const script = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
    const cluster = await clusters.start({ ...options, script, env: { PORT: socketPath } });
    const { pid, workers } = await cluster.status();
    process.kill(pid, 'SIGKILL');
    await until('its workers have gone', () => workers.every((each) => !isAlive(each.pid!)), { every: 1 });
    expect(await ask({ socketPath, path: '/livez' }), 'while there is no worker').to.equal(200);
    await nextPrimary(cluster, pid);
    await cluster.stop();
    expect(existsSync(socketPath)).to.equal(false);
  });

  it('serves again after a kill where the file asks for another scheduling by then', async () => {
    const cluster = await clusters.start(options);
    const { pid } = await cluster.status();
    await cluster.configure({ scheduling: 'rr' });
    process.kill(pid, 'SIGKILL');
    await nextPrimary(cluster, pid);
    expect(await ask({ host: '127.0.0.1', port: cluster.port })).to.equal(200);
  });

  it('ends at once with its keeper, and the next start waits for that', async () => {
    const cluster = await clusters.create(options);
    const keeper = spawn(process.execPath, [quiesceCommand, 'start', cluster.configFile], { stdio: 'ignore' });
    try {
      const { pid, workers } = await until(
        'it serves',
        async () => {
          const status = await cluster.status().catch(() => null);
          return status?.workers.every(({ state }) => state === 'serving') === true ? status : null;
        },
        { within: 30_000 },
      );
      keeper.kill('SIGKILL');
      cluster.launch();
      await nextPrimary(cluster, pid);
      expect([pid, ...workers.map((each) => each.pid!)].filter(isAlive)).to.deep.equal([]);
    } finally {
      if (keeper.exitCode === null && keeper.signalCode === null) {
        keeper.kill('SIGKILL');
        await once(keeper, 'exit');
      }
    }
  });
});
