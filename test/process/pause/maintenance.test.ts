import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import type { Stored } from '#quiesce/primary/maintenance/machine/durable-hold.js';
import { useClusters } from '../harness/clusters/clusters.ts';
import { quiesce, type Ended } from '../harness/commands/command.ts';
import { json, linesTo, problemIn, send } from '../harness/clients/lines.ts';
import { isAlive } from '../harness/processes.ts';
import { startQuiesce } from '../harness/commands/running-command.ts';
import { straggler } from '../harness/clients/straggler.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
const slowRenames = new URL('../fixtures/preloads/slow-renames.js?of=(maintenance|workers).json', import.meta.url).href;
const slots = [0, 1, 2];

async function expectEveryWorker(cluster: Cluster, status: number): Promise<void> {
  const lines = await linesTo(cluster.url, slots);
  const replies = await Promise.all(lines.map((line) => line.send('/work')));
  expect(replies.map((reply) => [reply.slot, reply.status])).to.deep.equal(slots.map((slot) => [slot, status]));
  for (const reply of replies) if (status === 503) expect(problemIn(reply).code).to.equal('paused');
  for (const line of lines) line.close();
}

let endAsking: (() => Promise<number[]>) | undefined;
afterEach(async () => void (await endAsking?.()));

/** Asks all the time, over new connections. Returns how to end that, which tells what the answers were. */
function ask(url: string): () => Promise<number[]> {
  const statuses = new Set<number>();
  let asking = true;
  const asked = (async () => {
    while (asking) {
      // No answer at all is what a client of a killed process gets.
      const status = await send(url).then(
        (reply) => reply.status,
        () => null,
      );
      if (status !== null) statuses.add(status);
      await delay(2);
    }
  })();
  endAsking = async () => {
    asking = false;
    await asked;
    return [...statuses];
  };
  return endAsking;
}

async function heldOnDisk(cluster: Cluster, held: boolean): Promise<void> {
  const file = join(cluster.dataDir, 'maintenance.json');
  await until(`${held ? 'a' : 'no'} hold is on disk`, async () => {
    const { operator } = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as { operator?: unknown };
    return ((operator ?? null) !== null) === held;
  });
}

describe('SIGUSR2', function () {
  this.timeout(90_000);
  const clusters = useClusters();

  it('holds every worker, through a kill -9 of a worker and of the primary, until the second one', async () => {
    const cluster = await clusters.start({ script: app, instances: slots.length });
    await expectEveryWorker(cluster, 200);
    cluster.signal('SIGUSR2');
    await cluster.until('it is held', ({ phase }) => phase === 'quiesced');
    const asked = ask(`${cluster.url}/work`);
    await expectEveryWorker(cluster, 503);
    await heldOnDisk(cluster, true);

    const before = await cluster.status();
    expect(before.holds.map(({ kind, reason }) => ({ kind, reason }))).to.deep.equal([
      { kind: 'operator', reason: 'SIGUSR2' },
    ]);
    process.kill(before.workers[1]!.pid!, 'SIGKILL');
    const replaced = await cluster.until('the killed worker is replaced', ({ workers }) => {
      return workers.length === slots.length && workers[1]!.incarnation === 2 && workers[1]!.state === 'quiesced';
    });
    await expectEveryWorker(cluster, 503);

    await cluster.kill();
    await until('no worker is left', () => replaced.workers.every(({ pid }) => !isAlive(pid!)), { within: 2_000 });
    cluster.launch();
    const restarted = await cluster.ready();
    expect(restarted.phase).to.equal('quiesced');
    expect(restarted.holds).to.deep.equal(before.holds);
    expect(restarted.epoch).to.be.above(before.epoch);
    await expectEveryWorker(cluster, 503);
    expect(await asked()).to.deep.equal([503]);

    cluster.signal('SIGUSR2');
    await cluster.until('it serves', ({ phase }) => phase === 'serving');
    await expectEveryWorker(cluster, 200);
    await heldOnDisk(cluster, false);
    await cluster.kill();
    cluster.launch();
    expect((await cluster.ready()).phase).to.equal('serving');
  });

  it('to the whole process group kills nobody, and counts once', async () => {
    const cluster = await clusters.start({ script: app, instances: slots.length, group: true });
    const { workers } = await cluster.status();
    for (const phase of ['quiesced', 'serving', 'quiesced']) {
      process.kill(-cluster.pid, 'SIGUSR2');
      const status = await cluster.until(`it is ${phase}`, (found) => found.phase === phase);
      expect(status.workers.map(({ pid }) => pid)).to.deep.equal(workers.map(({ pid }) => pid));
    }
    await expectEveryWorker(cluster, 503);
  });

  it('that comes while the primary is still starting holds the cluster from its beginning', async () => {
    const cluster = await clusters.create({ script: app, instances: slots.length });
    cluster.launch();
    const asked = ask(`${cluster.url}/work`);
    await until('it holds the lock', () => readFile(join(cluster.dataDir, 'primary.json')).catch(() => null), {
      every: 1,
    });
    cluster.signal('SIGUSR2');
    expect((await cluster.ready()).phase).to.equal('quiesced');
    await expectEveryWorker(cluster, 503);
    expect(await asked()).to.deep.equal([503]);
  });

  it('right before the end, on a slow disk, is on record before another primary may begin', async () => {
    const primaryEnv = { NODE_OPTIONS: `--import=${slowRenames}` };
    const cluster = await clusters.start({ script: app, instances: 1, primaryEnv });
    cluster.signal('SIGUSR2');
    await cluster.until('it is held', ({ phase }) => phase === 'quiesced');
    cluster.signal('SIGTERM');
    const lock = join(cluster.dataDir, 'primary.lock');
    await until('the lock is released', () => !existsSync(lock), { every: 1 });
    const { operator } = JSON.parse(readFileSync(join(cluster.dataDir, 'maintenance.json'), 'utf8')) as Stored;
    expect(operator).to.include({ reason: 'SIGUSR2' });
    expect(JSON.parse(readFileSync(join(cluster.dataDir, 'workers.json'), 'utf8'))).to.deep.equal([]);
  });
});

describe('a cluster that an operator holds', function () {
  this.timeout(60_000);
  const shared = useSharedCluster({ script: app, instances: slots.length });
  const command = async (...args: string[]): Promise<Ended> => {
    const { folder, configFile } = shared.cluster;
    const ended = await quiesce(['maintenance', ...args, '--config', configFile], { cwd: folder });
    expect(ended.code, ended.err).to.equal(0);
    return ended;
  };
  afterEach('opened', () => shared.cluster.control.maintenance({ on: false }));

  it('takes a feed, is quiesced for it once more, and stays held', async () => {
    const { cluster, database } = shared;
    await cluster.control.maintenance({ on: true, reason: 'tests' });
    const { epoch } = await cluster.until('it is quiesced', ({ phase }) => phase === 'quiesced');
    const body = '[{"id":1}]';
    const { status, headers, text } = await send(`${cluster.url}/api/sync`, { method: 'PUT', headers: json, body });
    expect(status, text).to.equal(204);
    expect(await database.db.collection('resources').countDocuments()).to.equal(1);
    const after = await cluster.status();
    expect(after.phase).to.equal('quiesced');
    expect(after.epoch).to.equal(epoch + 1);
    expect(after.run).to.include({ id: headers['quiesce-run'], state: 'succeeded' });
    await expectEveryWorker(cluster, 503);
  });

  it('runs an exclusive handler, and stays held', async () => {
    const { cluster } = shared;
    await cluster.control.maintenance({ on: true });
    expect((await send(`${cluster.url}/alone?ms=50`, { method: 'POST' })).status).to.equal(200);
    await cluster.until('the run has ended', ({ run }) => run?.state === 'succeeded');
    await expectEveryWorker(cluster, 503);
  });

  it('waits for a request in flight, and is quiesced when that has ended', async () => {
    const { cluster } = shared;
    const { end } = await straggler(cluster, 1);
    await cluster.control.maintenance({ on: true });
    const { phase, waitingFor } = await cluster.until('it tells whom it waits for', (status) => {
      return status.waitingFor.length > 0;
    });
    expect(phase).to.equal('draining');
    expect(waitingFor).to.have.lengthOf(1);
    expect(waitingFor[0]).to.include({ slot: 1, method: 'GET', path: '/straggle' });
    await expectEveryWorker(cluster, 503);
    expect((await end()).status).to.equal(200);
    await cluster.until('it is quiesced', (status) => status.phase === 'quiesced');
  });

  it('is told to the command once no request is at work any more, in any worker', async () => {
    const { cluster } = shared;
    const { end } = await straggler(cluster, 1);
    const holding = startQuiesce(['maintenance', 'on', '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    await until('the command tells what it waits for', () => holding.err().includes('waiting for 1 request'));
    expect(holding.child.exitCode).to.equal(null);
    expect((await end()).status).to.equal(200);
    expect(await holding.ended).to.equal(0);
    expect(holding.out()).to.include('(quiesced)').and.include(`by ${userInfo().username}`);
    await expectEveryWorker(cluster, 503);
    await heldOnDisk(cluster, true);
  });

  it('is taken back where a request does not end in time: the command names it and ends with 6', async () => {
    const { cluster } = shared;
    const { end } = await straggler(cluster, 2);
    const on = (...more: string[]): Promise<Ended> =>
      quiesce(['maintenance', 'on', '--timeout', '1s', ...more, '--data-dir', cluster.dataDir], {
        cwd: cluster.folder,
      });
    const refused = await on();
    expect(refused.code).to.equal(6);
    expect(refused.err).to.include('After 1000 ms').and.include('GET /straggle in worker 2').and.include('taken back');
    expect(refused.out).to.equal('');
    const { phase, holds } = await cluster.status();
    expect({ phase, holds }).to.deep.equal({ phase: 'serving', holds: [] });
    await expectEveryWorker(cluster, 200);
    await heldOnDisk(cluster, false);

    const kept = await on('--keep', '--by', 'ann', '--reason', 'kept');
    expect(kept.code).to.equal(6);
    expect(kept.err).to.include('the hold stays');
    expect((await cluster.status()).holds[0]).to.include({ kind: 'operator', reason: 'kept', by: 'ann' });
    expect(cluster.output).to.match(/"order":"maintenance on","by":"ann"/);
    await expectEveryWorker(cluster, 503);
    expect((await end()).status).to.equal(200);
  });

  it('is taken back where the command is interrupted while it waits', async () => {
    const { cluster } = shared;
    const { end } = await straggler(cluster, 0);
    const holding = startQuiesce(['maintenance', 'on', '--data-dir', cluster.dataDir], { cwd: cluster.folder });
    await cluster.until('it is held', ({ holds }) => holds.length > 0);
    holding.child.kill('SIGINT');
    expect(await holding.ended).to.equal(130);
    await cluster.until('it serves', ({ phase }) => phase === 'serving');
    await end();
    await expectEveryWorker(cluster, 200);
  });

  it('opens by itself when the time is over that the command was given', async () => {
    const { cluster } = shared;
    await command('on', '--reason', 'a moment', '--for', '3s');
    const { holds } = await cluster.status();
    expect(holds).to.have.lengthOf(1);
    await cluster.until('it serves', ({ phase }) => phase === 'serving');
    for (const { reason, since, until: end } of holds) {
      expect(reason).to.equal('a moment');
      expect(Date.parse(end!) - Date.parse(since)).to.equal(3_000);
      expect(Date.now()).to.be.at.least(Date.parse(end!));
    }
    await expectEveryWorker(cluster, 200);
  });

  it('is the same when it is asked for again without a word: its reason, its beginning, its epoch', async () => {
    const { cluster } = shared;
    await command('on', '--reason', 'moving house');
    const first = await cluster.until('it is held', ({ phase }) => phase === 'quiesced');
    await command('on');
    const { holds, epoch, phase } = await cluster.control.maintenance({ on: true });
    expect({ holds, epoch, phase }).to.deep.equal({ holds: first.holds, epoch: first.epoch, phase: 'quiesced' });
    for (let times = 0; times < 2; times++) expect((await command('off')).out).to.include('maintenance: off (serving)');
    await expectEveryWorker(cluster, 200);
  });

  it('joins those who hold it again, and opens once for all of them', async () => {
    const { cluster } = shared;
    const first = await cluster.control.maintenance({ on: true, reason: 'first' });
    await command('on', '--reason', 'second', '--for', '1h');
    await command('on'); // says nothing of the end, so it stays
    const again = await cluster.status();
    expect(again.epoch).to.equal(first.epoch);
    expect(again.holds).to.have.lengthOf(1);
    expect(again.holds[0]).to.include({ reason: 'second', since: first.holds[0]!.since });
    expect(Date.parse(again.holds[0]!.until!) - Date.now()).to.be.within(3_500_000, 3_600_000);
    expect((await command('status')).out).to.include('second');
    await command('off');
    await cluster.control.maintenance({ on: false });
    await expectEveryWorker(cluster, 200);
  });

  it('answers everybody who holds and opens it at the same time', async () => {
    const { cluster } = shared;
    const changes = Array.from({ length: 30 }, (_, n) => {
      if (n % 3 === 2) cluster.signal('SIGUSR2');
      return cluster.control.maintenance({ on: n % 2 === 0 });
    });
    expect(await Promise.all(changes)).to.have.lengthOf(30);
    await cluster.control.maintenance({ on: true });
    await cluster.until('it is held', ({ phase }) => phase === 'quiesced');
    await cluster.control.maintenance({ on: false });
    await expectEveryWorker(cluster, 200);
  });
});
