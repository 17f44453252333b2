import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { clusterStatus, type ClusterStatus } from '#quiesce/protocol/api/runs.js';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { freePort } from '../../../dev/free-port.ts';
import { useClusters, usePlainClusters } from '../harness/clusters/clusters.ts';
import { quiesce } from '../harness/commands/command.ts';
import { json, problemIn, send, type Reply } from '../harness/clients/lines.ts';
import { until } from '../harness/until.ts';

const large = JSON.stringify(Array.from({ length: 3_000 }, (_, id) => ({ id, text: 'x'.repeat(1_000) })));

describe('a feed that the disk has no room for', function () {
  this.timeout(60_000);
  const clusters = useClusters();

  it('is refused with 507 where a file may not grow so large, and changes nothing', async () => {
    const cluster = await clusters.start({ under: ['sh', '-c', 'ulimit -f 2048; exec "$@"', 'sh'] });
    await refusesLarge(cluster, () => cluster.status());
    await until('the spool is empty', async () => (await readdir(join(cluster.dataDir, 'spool'))).length === 0);
  });

  it('is refused with 507 where the whole data directory is full, and changes nothing', async function () {
    // A file system of its own in a namespace of its own, so that nobody else sees it and it goes with the process.
    if (spawnSync('unshare', ['-m', 'true']).status !== 0) this.skip();
    const { database } = clusters;
    const port = await freePort();
    const mount = 'mkdir data && mount -t tmpfs -o size=2m,mode=700 tmpfs data && exec "$@"';
    const cluster = await clusters.create({
      under: ['unshare', '-m', 'sh', '-c', mount, 'sh'],
      quiesce: { mongodb: { uri: database.uri, db: database.name }, admin: { port } },
    });
    cluster.launch();
    const ready = until('it is ready', () => cluster.output.includes('app is ready'), { within: 30_000 });
    expect(await Promise.race([ready, cluster.exited]), cluster.output).to.equal(true);
    const status = async (): Promise<ClusterStatus> => {
      const response = await fetch(`http://127.0.0.1:${port}/api/status`);
      return clusterStatus.parse(await response.json());
    };
    await refusesLarge(cluster, status);
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
  });

  async function put(cluster: Cluster, body: string, query = ''): Promise<Reply> {
    return send(`${cluster.url}/api/sync${query}`, { method: 'PUT', headers: json, body });
  }

  async function refusesLarge(cluster: Cluster, status: () => Promise<ClusterStatus>): Promise<void> {
    const keys = (): Promise<unknown[]> => clusters.database.db.collection('resources').distinct('_id');
    expect((await put(cluster, '[{"id":"kept"}]')).status).to.equal(204);
    const { epoch } = await status();
    for (const query of ['', '?dryRun=true']) {
      const reply = await put(cluster, large, query);
      expect(reply.status, reply.text).to.equal(507);
      expect(problemIn(reply)).to.include({ code: 'insufficient-storage' });
      expect(problemIn(reply)['detail']).to.match(
        /no room .* \((EFBIG|ENOSPC)\)\. Nothing was changed\. Free some space/,
      );
    }
    expect(await status()).to.deep.include({ phase: 'serving', epoch, holds: [] });
    expect(await keys()).to.deep.equal(['kept']);
    // What came of the large one has gone from the disk: there is room again.
    expect((await put(cluster, '[{"id":"next"}]')).status).to.equal(204);
    expect(await keys()).to.deep.equal(['next']);
  }
});

const app = fileURLToPath(new URL('../fixtures/trouble.js', import.meta.url));

describe('a primary that finds no room for what it writes', function () {
  this.timeout(120_000);
  const clusters = usePlainClusters();

  it('holds and opens with a warning, says so on stderr, serves on, and writes again when there is room', async function () {
    if (spawnSync('prlimit', ['--version']).status !== 0) this.skip();
    const cluster = await clusters.start({
      script: app,
      instances: 1,
      under: ['sh', '-c', 'exec "$@" >stdout.log', 'sh'],
      app: { out_file: 'out.log', error_file: 'error.log' },
    });
    const limit = (bytes: string): void => {
      const { status } = spawnSync('prlimit', ['--pid', String(cluster.pid), `--fsize=${bytes}:unlimited`]);
      expect(status).to.equal(0);
    };
    const log = join(cluster.dataDir, 'quiesce.log');
    limit('1');
    const on = await quiesce(['maintenance', 'on', '--reason', 'no room', '--data-dir', cluster.dataDir], {
      cwd: cluster.folder,
    });
    expect(on).to.include({ code: 0 });
    expect(on.err).to.match(/cannot be written \(EFBIG.*\): a restart would open the gates/);
    expect((await cluster.status()).holds).to.have.lengthOf(1);
    const written = async (): Promise<unknown> =>
      JSON.parse(await readFile(join(cluster.dataDir, 'maintenance.json'), 'utf8').catch(() => 'null'));
    limit('unlimited');
    await until('the hold is written when there is room', async () => (await written()) !== null);
    limit('1');
    for (let times = 0; times < 2; times++) {
      const off = await cluster.control.maintenance({ on: false });
      expect(off).to.include({ phase: 'serving' });
      expect(off.warnings?.[0]).to.match(
        /cannot be written \(EFBIG.*\): after a restart the cluster would be held again/,
      );
    }
    limit('unlimited');
    expect((await cluster.control.maintenance({ on: false })).warnings).to.equal(undefined);
    expect(await written()).to.deep.include({ operator: null });
    limit('1');
    const told = (what: string): number => cluster.output.split(`${what} cannot be written: EFBIG`).length - 1;
    await until('it has said so', () => told('stdout') > 0 && told(log) > 0);
    await cluster.control.scale(2);
    await cluster.until('it serves', ({ phase, workers }) => phase === 'serving' && workers.length === 2);
    expect((await fetch(cluster.url)).status).to.be.below(500);
    // Once each time that the room went.
    for (const file of ['stdout', log]) expect(told(file), file).to.be.within(1, 3);
    limit('unlimited');
    for (const file of [log, join(cluster.folder, 'stdout.log')]) {
      await until(`${file} goes on`, async () => {
        await cluster.control.maintenance({ on: true, reason: 'there is room' });
        await cluster.control.maintenance({ on: false });
        return (await readFile(file, 'utf8')).includes('there is room');
      });
    }
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
