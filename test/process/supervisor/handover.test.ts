import { copyFile, existsSync, promises as fs } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { scratchFolders } from '../../unit/scratch.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { ask, load } from '../harness/clients/load.ts';
import { quiesce } from '../harness/commands/command.ts';
import { isAlive } from '../harness/processes.ts';
import { startQuiesce } from '../harness/commands/running-command.ts';
import { startReceiver } from '../harness/receiver.ts';
import { until } from '../harness/until.ts';

const plain = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));

describe('a primary that is replaced', function () {
  this.timeout(120_000);
  const clusters = usePlainClusters();
  const scratch = scratchFolders();
  const options = { script: plain, keeper: true } as const;
  const replace = (cluster: Cluster, ...more: string[]): ReturnType<typeof quiesce> =>
    quiesce(['reload', '--primary', '--data-dir', cluster.dataDir, ...more], { cwd: cluster.folder, within: 90_000 });

  /** By a connection of its own: one that is kept stays with the primary that it was made to. */
  const nextServes = (cluster: Cluster, former: number): Promise<true> =>
    until(
      'another one serves',
      async () => {
        const { out } = await quiesce(['status', '--json', '--data-dir', cluster.dataDir], { cwd: cluster.folder });
        return (JSON.parse(out) as ClusterStatus).pid !== former || undefined;
      },
      { within: 40_000 },
    );

  /** One primary and its workers, and nobody of before. */
  const settled = (cluster: Cluster, wanted: (status: ClusterStatus) => boolean = () => true): Promise<ClusterStatus> =>
    cluster.until(
      'it is settled',
      (status) =>
        status.warnings === undefined &&
        status.workers.length === 2 &&
        status.workers.every(({ state }) => state === 'serving' || state === 'quiesced') &&
        wanted(status),
      40_000,
    );

  /** The pid of the primary that was started last. */
  const newest = (cluster: Cluster): number =>
    Number([...cluster.output.matchAll(/"pid":(\d+).*worker 0\.1 started/g)].at(-1)![1]);

  it('fails no request, again and again, holds what is held or scheduled, and tells of each', async () => {
    let isDown = false;
    const told: string[] = [];
    const receiver = await startReceiver((response, { headers }) => {
      if (!isDown) told.push(String(headers['quiesce-event']));
      response.writeHead(isDown ? 503 : 204).end();
    });
    const cluster = await clusters.start({ ...options, quiesce: { notify: [{ url: receiver.url }] } });
    const clients = load({ port: cluster.port, path: '/?ms=300' });
    const pids = [(await cluster.status()).pid];
    const watching = startQuiesce(['status', '--watch', '--json', '--data-dir', cluster.dataDir], {
      cwd: cluster.folder,
    });
    for (let times = 0; times < 2; times += 1) {
      const { code, out, err } = await replace(cluster);
      expect(code, err).to.equal(0);
      const { pid } = await cluster.status();
      expect(out).to.equal(`replaced the primary: pid ${pids.at(-1)} → ${pid}\n`);
      expect(isAlive(pids.at(-1)!), 'the one before').to.equal(false);
      expect(pids).to.not.include(pid);
      pids.push(pid);
    }
    for (const pid of pids) await until(`pid ${pid} is told`, () => watching.out().includes(`"pid":${pid},"phase"`));
    const outcomes = await clients.stop();
    expect(outcomes).to.include(200);
    expect(outcomes.filter((outcome) => outcome !== 200)).to.deep.equal([]);
    await until('both are told', () => told.length === 2);

    isDown = true; // so the next primary gets a notice that the one before could not deliver
    const at = new Date(Date.now() + 3_600_000).toISOString();
    await cluster.control.maintenance({ on: true, at, for: 60_000, reason: 'night' });
    const held = await cluster.control.maintenance({ on: true, wait: true, reason: 'by hand', by: 'me' });
    expect((await replace(cluster)).code).to.equal(0);
    isDown = false;
    const { holds, scheduled, epoch } = await settled(cluster, ({ phase }) => phase === 'quiesced');
    expect({ holds, scheduled }).to.deep.equal({ holds: held.holds, scheduled: held.scheduled });
    expect(epoch).to.be.greaterThan(held.epoch - 1);
    expect(await ask({ port: cluster.port })).to.equal(503);
    await cluster.control.maintenance({ on: false });
    expect(await ask({ port: cluster.port })).to.equal(200);
    await until('all is told', () => told.length === 5, { within: 20_000 });
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
    expect(await ask({ port: cluster.port })).to.equal('ECONNREFUSED');
    expect(await watching.ended).to.equal(5);
    const replaced = 'primary-replaced';
    expect(told).to.deep.equal([replaced, replaced, 'hold-started', replaced, 'hold-ended']);
    const kept = JSON.parse(await fs.readFile(join(cluster.dataDir, 'notify.json'), 'utf8')) as { entries: unknown[] };
    expect(kept.entries, 'written by two primaries').to.deep.equal([]);
    await receiver.close();
  });

  it('by one that cannot boot stays, and the reason is told; by one that boots it goes, and cuts off nobody', async () => {
    const script = join(scratch(), 'app.mjs');
    await promisify(copyFile)(plain, script);
    const cluster = await clusters.start({ ...options, script });
    const { pid } = await cluster.status();
    await fs.writeFile(script, 'throw new Error("this build is broken")');
    const broken = await replace(cluster);
    expect(broken.code, broken.err).to.equal(4);
    expect(broken.err).to.include('this build is broken').and.include('nothing has changed');
    await cluster.configure({ drain_timeuot: 1 });
    const wrong = await replace(cluster);
    expect(wrong.code, wrong.err).to.equal(2);
    expect(wrong.err).to.include('drain_timeuot');
    await cluster.configure({ scheduling: 'rr' });
    const rr = await replace(cluster);
    expect(rr.code, rr.err).to.equal(6);
    expect(rr.err).to.include("scheduling: 'rr'");
    await cluster.configure({ data_dir: join(cluster.folder, 'elsewhere') });
    const moved = await replace(cluster);
    expect(moved.code, moved.err).to.equal(6);
    expect(moved.err).to.include('another data directory').and.include('or: quiesce stop, then quiesce start');
    await cluster.configure({ mongodb: { db: 'other' } });
    const { err: hint } = await quiesce(['reload', '--dry-run', '--data-dir', cluster.dataDir], {
      cwd: cluster.folder,
    });
    expect(hint).to.equal('warning: Only a new primary takes quiesce.mongodb.db: quiesce reload --primary\n');
    expect((await settled(cluster)).pid).to.equal(pid);
    expect(await ask({ port: cluster.port })).to.equal(200);
    await cluster.configure({ maintenance: { drain_timeout: '7s' } });
    await promisify(copyFile)(plain, script);
    // kill_timeout is not set: some of these take much longer than its default from the handover on.
    const slow: Promise<number | string>[] = [];
    const asking = setInterval(() => slow.push(ask({ port: cluster.port, path: '/?ms=4000' })), 300);
    const { code, out, err } = await replace(cluster).finally(() => clearInterval(asking));
    expect(code, err).to.equal(0);
    expect(err).to.not.include('warning');
    expect(out).to.match(/^quiesce\.maintenance\.drain_timeout: \d+ → 7000\nreplaced the primary: pid \d+ → \d+\n$/);
    expect(new Set(await Promise.all(slow))).to.deep.equal(new Set([200]));
  });

  it('while a run goes on is refused, and with --wait waits for it', async () => {
    const cluster = await clusters.start(options);
    const { pid } = await cluster.status();
    const command = startQuiesce(
      ['exec', '--data-dir', cluster.dataDir, '--', 'node', '-e', 'setTimeout(() => {}, 60_000)'],
      { cwd: cluster.folder },
    );
    const { run } = await cluster.until('it runs', (status) => status.run?.state === 'running');
    const refused = await replace(cluster);
    expect(refused.code).to.equal(6);
    expect(refused.err).to.include(run!.id);
    command.child.kill('SIGTERM');
    await command.ended;
    expect((await cluster.status()).pid).to.equal(pid);

    const longer = startQuiesce(
      ['exec', '--data-dir', cluster.dataDir, '--', 'node', '-e', 'setTimeout(() => {}, 1500)'],
      { cwd: cluster.folder },
    );
    await cluster.until('it runs', (status) => status.run?.state === 'running' && status.run.id !== run!.id);
    const replaced = await replace(cluster, '--wait');
    expect(replaced.code, replaced.err).to.equal(0);
    expect(await longer.ended).to.equal(0);
    const { run: last } = await settled(cluster);
    expect(last).to.include({ kind: 'exec', state: 'succeeded' });
  });

  it('finishes what is in flight, and a pause of the next one waits for that', async () => {
    const script = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
    const cluster = await clusters.start({ ...options, script, app: { kill_timeout: 60_000 } });
    const { pid } = await cluster.status();
    // Each ends when its file is there: a handover takes as long as the machine needs to boot the next primary.
    const [first, second] = [join(cluster.folder, 'first'), join(cluster.folder, 'second')];
    const straggler = (file: string): Promise<number | string> =>
      ask({ port: cluster.port, path: `/straggle?until=${encodeURIComponent(file)}` });
    const slow = straggler(first);
    const replaced = replace(cluster);
    await nextServes(cluster, pid);
    let isHeld = false;
    const held = cluster.control.maintenance({ on: true, wait: true }).then((answer) => {
      isHeld = true;
      return answer;
    });
    await until('the pause is under way', async () => (await cluster.status()).phase === 'draining');
    await delay(500);
    expect(isHeld, 'while a handler of the former primary is at work').to.equal(false);
    await fs.writeFile(first, '');
    const status = await held;
    expect(status.phase).to.equal('quiesced');
    expect(await slow).to.equal(200);
    expect((await replaced).code).to.equal(0);

    await cluster.control.maintenance({ on: false });
    const [later, next] = [straggler(second), replace(cluster)];
    await nextServes(cluster, status.pid);
    process.kill(status.pid, 'SIGTERM'); // as a stop of the whole site reaches one that has handed over
    await delay(500);
    await fs.writeFile(second, '');
    expect(await later, 'of a former primary that is told to stop').to.equal(200);
    expect((await next).code).to.equal(0);
  });

  it('listens on the same Unix socket all the time, and what is cut off at the end is told', async () => {
    const socketPath = join(scratch(), 'app.sock');
    const script = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
    const cluster = await clusters.start({
      ...options,
      script,
      env: { PORT: socketPath },
      app: { kill_timeout: 1_600 },
    });
    const clients = load({ socketPath, path: '/livez' });
    const cut = ask({ socketPath, path: '/straggle?until=never' });
    await cluster.until('it is in flight', ({ workers }) => workers.some(({ inFlight }) => inFlight > 0));
    const { code, err } = await replace(cluster);
    expect([code, await cut], err).to.deep.equal([0, 'ECONNRESET']);
    expect(err).to.match(/^warning: 1 worker had not finished after 1600 ms, .* The reload cut off 1 request\. /m);
    expect((await clients.stop()).filter((outcome) => outcome !== 200)).to.deep.equal([]);
    await cluster.stop();
    expect(existsSync(socketPath)).to.equal(false);
  });

  it('is refused without a keeper, with what to do', async () => {
    const cluster = await clusters.start({ ...options, keeper: false });
    const { code, err } = await replace(cluster);
    expect(code).to.equal(6);
    expect(err).to.include('--no-keeper').and.include('quiesce stop');
  });

  it('is replaced once, whoever of the two is killed when: no hold is lost, and no connection is refused', async function () {
    this.timeout(240_000);
    const cluster = await clusters.start(options);
    await cluster.control.maintenance({ on: true, wait: true, reason: 'kept' });
    const clients = load({ port: cluster.port });
    const moments: [RegExp, 'old' | 'new'][] = [
      [/a new primary is started beside/, 'old'],
      [/prepared to take over/, 'new'],
      [/is handed over to the successor/, 'old'],
      [/is handed over to the successor/, 'new'],
    ];
    for (const [said, who] of moments) {
      const what = `${who} at ${said.source}`;
      const { pid } = await settled(cluster, ({ phase }) => phase === 'quiesced');
      cluster.output = '';
      const order = replace(cluster);
      await cluster.said(said, 40_000);
      process.kill(who === 'old' ? pid : newest(cluster), 'SIGKILL');
      await order;
      const after = await settled(cluster, ({ phase }) => phase === 'quiesced');
      expect(
        after.holds.map(({ reason }) => reason),
        what,
      ).to.deep.equal(['kept']);
      await until(`${what}: the killed one has gone`, () => after.pid === pid || !isAlive(pid));
    }
    const outcomes = await clients.stop();
    expect(outcomes).to.include(503);
    expect(outcomes).to.not.include('ECONNREFUSED').and.not.include(200);
  });

  it('ends with its successor where the keeper is killed meanwhile, and the next start serves', async () => {
    const cluster = await clusters.start({ ...options, group: true });
    const { pid } = await cluster.status();
    const order = replace(cluster);
    await cluster.said(/prepared to take over/, 40_000);
    const next = newest(cluster);
    process.kill(cluster.pid, 'SIGKILL');
    await order;
    await until('both have ended', () => !isAlive(pid) && !isAlive(next), { within: 20_000 });
    cluster.launch();
    await cluster.ready();
    expect(await ask({ port: cluster.port })).to.equal(200);
    process.kill(-cluster.pid, 'SIGINT');
    expect(await cluster.exited).to.deep.equal({ code: 0, signal: null });
  });
});
