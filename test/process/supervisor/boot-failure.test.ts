import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { quiesce } from '../harness/commands/command.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/trouble.js', import.meta.url));

describe('a cluster that cannot boot', function () {
  this.timeout(60_000);
  const clusters = usePlainClusters();

  it('ends with exit code 4 and the reason that its workers gave', async () => {
    const cluster = await clusters.create({ script: app, instances: 4, env: { BROKEN: app } });
    cluster.launch();
    expect(await cluster.exited).to.deep.equal({ code: 4, signal: null });
    expect(cluster.output).to.match(/^quiesce: .*could not boot: this build has no column named tenant/m);
  });

  it('gives the last words of a worker that only printed them', async () => {
    const folder = (await clusters.create()).folder;
    const script = join(folder, 'app.cjs');
    await writeFile(script, `console.error('DB_URL is not set'); process.exit(1);`);
    const cluster = await clusters.create({ script, instances: 1 });
    cluster.launch();
    expect(await cluster.exited).to.deep.equal({ code: 4, signal: null });
    expect(cluster.output).to.match(/^quiesce: .*could not boot: DB_URL is not set/m);
  });

  it('ends after the first worker that finds its port taken, without another try, and names the address', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { port } = other.address() as AddressInfo;
      const script = join((await clusters.create()).folder, 'app.cjs');
      await writeFile(script, `require('node:http').createServer().listen(${port}, '127.0.0.1');`);
      const cluster = await clusters.create({ script, instances: 4 });
      cluster.launch();
      expect(await cluster.exited).to.deep.equal({ code: 4, signal: null });
      expect(cluster.output).to.match(new RegExp(`^quiesce: .*127\\.0\\.0\\.1:${port}`, 'm'));
      expect(cluster.output.match(/could not boot/g)).to.have.length(1);
      expect(cluster.output).not.to.match(/worker \d\.2 started/);
    } finally {
      other.close();
    }
  });

  it('gives up on an app that never listens when listen_timeout is over', async () => {
    const script = join((await clusters.create()).folder, 'app.cjs');
    await writeFile(script, 'setInterval(() => {}, 1000);');
    const cluster = await clusters.create({ script, instances: 1, app: { listen_timeout: 500 } });
    cluster.launch();
    expect(await cluster.exited).to.deep.equal({ code: 4, signal: null });
    expect(cluster.output).to.match(/^quiesce: .*it was not ready after 500 ms/m);
  });

  it('that has served backs off instead, says so in its status, and comes back when the cause is gone', async () => {
    const broken = join((await clusters.create()).folder, 'broken');
    const cluster = await clusters.start({ script: app, instances: 2, env: { BROKEN: broken } });
    await writeFile(broken, '');
    for (const { pid } of (await cluster.status()).workers) process.kill(pid!, 'SIGKILL');
    const { workers } = await cluster.until(
      'both slots have failed several times',
      (status) => status.workers.every(({ state, restarts }) => state === 'waiting' && restarts > 3),
      20_000,
    );
    expect(workers.map(({ pid }) => pid)).to.deep.equal([null, null]);
    for (const { incarnation, lastExit, nextTry } of workers) {
      expect(lastExit).to.include({ incarnation, cause: 'boot-failure' });
      expect(lastExit?.reason).to.include('this build has no column named tenant');
      expect(Date.parse(nextTry!), 'the next try').to.be.greaterThan(Date.parse(lastExit!.at));
    }
    const line =
      /^slot \d: worker \d\.\d+ ended with code 1 .* ago \(boot-failure\); next try in .*: .*this build has no column/m;
    const status = ['status', '--data-dir', cluster.dataDir];
    const told = async (): Promise<boolean> => line.test((await quiesce(status, { cwd: cluster.folder })).out);
    await until('`quiesce status` tells why it waits, and until when', told, { within: 20_000 });
    await rm(broken);
    await cluster.ready();
    expect((await fetch(cluster.url)).status).to.equal(200);
  });

  it('serves on with the workers that boot where one never does', async () => {
    const script = join((await clusters.create()).folder, 'app.cjs');
    await writeFile(
      script,
      `if (process.env.NODE_APP_INSTANCE === '1') throw new Error('not on this shard');
       require('node:http').createServer((req, res) => res.end()).listen(process.env.PORT, '127.0.0.1');`,
    );
    const cluster = await clusters.create({ script, instances: 2 });
    cluster.launch();
    await cluster.said(/app is ready/, 20_000);
    expect((await fetch(cluster.url)).status).to.equal(200);
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
