import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { clusterStatus, report, runRecord } from '#quiesce/protocol/api/runs.js';
import { scratchFolders } from '../../unit/scratch.ts';
import { useClusters } from '../harness/clusters/clusters.ts';
import { quiesce, quiesceCommand, type Ended } from '../harness/commands/command.ts';
import { startQuiesce } from '../harness/commands/running-command.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { until } from '../harness/until.ts';

const feed = (items: number): string =>
  JSON.stringify(Array.from({ length: items }, (_, id) => ({ id, name: `item ${id}` })));

describe('the commands, on a real cluster', function () {
  this.timeout(120_000);
  const shared = useSharedCluster({});

  it('show how far a feed has come on a terminal', async function () {
    // util-linux gives a command a terminal of its own.
    if (spawnSync('script', ['--version']).error !== undefined) this.skip();
    const { cluster } = shared;
    await writeFile(join(cluster.folder, 'feed.json'), feed(60_000));
    const words = [process.execPath, quiesceCommand, 'sync', 'feed.json', '--data-dir', cluster.dataDir].map(
      (word) => `'${word}'`,
    );
    const { status, stdout } = spawnSync('script', ['-qec', words.join(' '), '/dev/null'], {
      cwd: cluster.folder,
      encoding: 'utf8',
    });
    expect(status).to.equal(0);
    expect(stdout)
      .to.match(/upload +\[/)
      .and.include('60000 inserted');
    expect(stdout).to.match(/(prepare|scan|write) +\[/);
  });

  // The last one: it ends the cluster of both.
  it('send feeds, tell about runs, hold, reload, scale and stop', async () => {
    const { cluster } = shared;
    const run = (...args: string[]): Promise<Ended> =>
      quiesce([...args, '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    await writeFile(join(cluster.folder, 'feed.json'), feed(500));

    const dry = await run('sync', 'feed.json', '--dry-run');
    expect(dry).to.include({
      code: 0,
      out: 'would be: 500 inserted, 0 updated, 0 deleted, 0 unchanged (500 items, nothing was written)\n',
    });
    const synced = await run('sync', 'feed.json', '--json');
    expect(synced.code, synced.err).to.equal(0);
    const { id, counts } = report.parse(JSON.parse(synced.out));
    expect(counts).to.deep.equal({ inserted: 500, updated: 0, deleted: 0, unchanged: 0 });
    expect((await run('sync', 'feed.json')).out).to.match(
      /^run .*: 0 inserted, 0 updated, 0 deleted, 500 unchanged\n {2}feed +500 items/,
    );
    const invalid = startQuiesce(['sync', '-', '--data-dir', cluster.dataDir], {
      cwd: cluster.folder,
      input: '[{"id":1},{"id":1}]',
    });
    expect(await invalid.ended).to.equal(1);
    expect(invalid.err()).to.include('/1: ');

    const listed = await run('runs', '--json');
    expect(
      runRecord
        .array()
        .parse(JSON.parse(listed.out))
        .map(({ id: each }) => each),
    ).to.include(id);
    expect((await run('runs', id)).out)
      .to.include('500 inserted')
      .and.include('PUT /api/sync');
    expect(await run('runs', 'nothing')).to.include({ code: 1, err: 'quiesce: There is no run nothing.\n' });

    expect((await run('maintenance', 'on', '--reason', 'works')).out).to.match(/^maintenance: on since .*: works\n$/);
    expect((await fetch(`${cluster.url}/api/resources`)).status).to.equal(503);
    expect((await run('status')).out)
      .to.include('hold: operator since')
      .and.include('quiesced');
    expect((await run('sync', 'feed.json')).code, 'a sync under the hold').to.equal(0);
    expect((await run('maintenance', 'off')).code).to.equal(0);
    expect((await fetch(`${cluster.url}/api/resources`)).status).to.equal(200);

    expect(await run('reload')).to.include({ code: 0, out: 'reloaded 2 workers\n' });
    expect(await run('scale', '3')).to.include({ code: 0, out: '3 workers\n' });
    const status = clusterStatus.parse(JSON.parse((await run('status', '--json')).out));
    expect(status.workers.map(({ state }) => state)).to.deep.equal(['serving', 'serving', 'serving']);
    expect(status.workers[0]?.incarnation).to.equal(2);

    const twin = await quiesce(['start', cluster.configFile], { cwd: cluster.folder });
    expect(twin.code).to.equal(3);
    expect(twin.err).to.include(`pid ${cluster.pid} `);

    expect((await run('logs', '-n', '1000')).out).to.include('worker 0.2 serves');
    expect(await run('stop')).to.include({ code: 0, out: `stopped (pid ${cluster.pid})\n` });
    expect(await cluster.exited).to.deep.equal({ code: 0, signal: null });
    expect((await run('status')).code).to.equal(5);
  });
});

describe('the commands, on a cluster of their own', function () {
  this.timeout(120_000);
  const clusters = useClusters();
  const scratch = scratchFolders();

  it('follow the status and the log until the primary ends', async () => {
    const cluster = await clusters.start();
    const watching = startQuiesce(['status', '--watch', '--json', '--data-dir', cluster.dataDir], {
      cwd: cluster.folder,
    });
    const logs = startQuiesce(['logs', '-f', '-n', '0', '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    await until('the status is told', () => watching.out().includes('\n'));
    const isFollowed = async (): Promise<boolean> => {
      await cluster.control.maintenance({ on: true, reason: 'a first line' });
      await cluster.control.maintenance({ on: false });
      return logs.out() !== '';
    };
    await until('the log is followed', isFollowed, { every: 100 });
    await cluster.control.maintenance({ on: true, reason: 'works' });
    await until('the pause is told', () => watching.out().includes('"phase":"quiesced"'));
    await cluster.control.reload();
    await until('the reload is in the log', () => logs.out().includes('worker 1.2'));
    await cluster.stop();
    expect(await watching.ended).to.equal(5);
    for (const line of watching.out().trimEnd().split('\n')) clusterStatus.parse(JSON.parse(line));
    expect(logs.child.exitCode, 'the log is followed through a restart').to.equal(null);
    logs.child.kill();
    await logs.ended;
  });

  it('end with 6 where the app refuses: no token, or a run that goes on', async () => {
    const cluster = await clusters.start({
      quiesce: { mongodb: { uri: clusters.database.uri, db: clusters.database.name }, sync: { token: 'right' } },
    });
    const cwd = scratch({ 'feed.json': '[]' });
    const send = (...more: string[]): Promise<Ended> =>
      quiesce(['sync', 'feed.json', '--url', cluster.url, ...more], { cwd });
    expect((await send()).code).to.equal(6);
    expect((await send('--token', 'wrong')).code).to.equal(6);
    expect((await send('--token', 'right')).code).to.equal(0);
    const slow = fetch(`${cluster.url}/api/sync`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', Authorization: 'Bearer right' },
      body: new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('['));
        },
      }),
      duplex: 'half',
    }).catch(() => undefined);
    await cluster.until('the other feed is being uploaded', ({ run }) => run?.state === 'uploading');
    const refused = await send('--token', 'right');
    expect(refused.code).to.equal(6);
    expect(refused.err).to.match(/^quiesce: .*run/);
    await cluster.kill();
    await slow;
  });
});
