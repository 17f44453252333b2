/** Releases behind a symbolic link, each with a quiesce of its own, the old ones removed while the site serves. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ControlClient } from '#quiesce/cli/control-client.js';
import { readOwner } from '#quiesce/primary/data-dir/lock-owner.js';
import { dataPlace } from '#quiesce/config/data-place.js';
import { freePort } from '../../../dev/free-port.ts';
import { root as repositoryUrl } from '../../../dev/docs/generated.ts';
import { scratchFolders } from '../../unit/scratch.ts';
import { runProgram, type Ended } from '../harness/commands/command.ts';
import { send } from '../harness/clients/lines.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { useDatabase } from '../harness/mongodb/mongo.ts';
import { until } from '../harness/until.ts';

const repository = fileURLToPath(repositoryUrl);
/** More of them for a closer look. */
const last = Number(process.env['RELEASES'] ?? 3);

const appOf = (release: number): string => `
  import express from 'express';
  import { gate, listen, mirror } from 'quiesce';
  const app = express();
  app.use(gate());
  app.put('/api/sync', mirror({ collection: 'resources' }));
  app.get('/', (req, res) => setTimeout(() => res.send('${release}'), 5));
  listen(app);
`;

describe('releases behind a symbolic link', function () {
  this.timeout(180_000 + last * 60_000);
  const children: ChildProcess[] = [];
  let asking = false;
  afterEach('ended', async () => {
    asking = false; // a test that was given up leaves its load, too
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    }
  });
  const scratch = scratchFolders();
  const database = useDatabase();
  let root: string;
  let current: string;
  let env: Record<string, string>;

  async function release(number: number): Promise<string> {
    const folder = join(root, 'releases', String(number));
    const installed = join(folder, 'node_modules', 'quiesce');
    await mkdir(installed, { recursive: true });
    await cp(join(repository, 'dist'), join(installed, 'dist'), { recursive: true });
    await cp(join(repository, 'package.json'), join(installed, 'package.json'));
    const app = { name: 'shop', script: 'app.mjs', instances: 2, quiesce: { admin: false } };
    await writeFile(join(folder, 'ecosystem.config.json'), JSON.stringify({ apps: [app] }));
    await writeFile(join(folder, 'app.mjs'), appOf(number));
    await symlink(`releases/${number}`, join(root, 'next'));
    await rename(join(root, 'next'), current);
    return folder;
  }

  /** As a shell that has entered `current`. */
  async function quiesce(...args: string[]): Promise<Ended> {
    const command = join(current, 'node_modules', 'quiesce', 'dist', 'cli', 'main.js');
    return runProgram(process.execPath, [command, ...args], {
      cwd: current,
      env: { ...env, PWD: current },
      within: 120_000,
    });
  }

  beforeEach(async () => {
    root = scratch({ 'state/x': '' });
    current = join(root, 'current');
    // What quiesce itself needs is the same in every release: links to the same files, where all of them find it.
    await mkdir(join(root, 'releases'));
    const [from, to] = [join(repository, 'node_modules'), join(root, 'releases', 'node_modules')];
    const { status } = spawnSync('cp', ['-al', from, to]);
    if (status !== 0) await cp(from, to, { recursive: true, force: true, verbatimSymlinks: true }); // another file system
    const uri = new URL(database.uri);
    uri.pathname = `/${database.name}`;
    env = {
      XDG_STATE_HOME: join(root, 'state'),
      MONGODB_URI: uri.href,
      PORT: String(await freePort()),
      NO_COLOR: '1',
    };
  });

  it('come and go under load: nothing fails, and each finds the primary, its hold and its history', async () => {
    await release(1);
    const url = `http://127.0.0.1:${env['PORT']}`;
    const { QUIESCE_DATA_DIR: _dir, ...inherited } = process.env;
    const command = join(current, 'node_modules', 'quiesce', 'dist', 'cli', 'main.js');
    const primary = spawn(process.execPath, [command, 'start', join(current, 'ecosystem.config.json')], {
      cwd: '/',
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(primary);
    let output = '';
    primary.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await until('it serves', () => output.includes('shop is ready'), { within: 30_000 });
    const control = new ControlClient(dataPlace('shop', current, env).dataDir);

    const seen = new Map<string, number>();
    asking = true;
    const load = Array.from({ length: 4 }, async () => {
      while (asking) {
        const answer = await send(url).then(
          ({ status, text }) => (status === 200 ? text : `${status} ${text}`),
          (error: Error) => error.message,
        );
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
      }
    });

    for (let number = 2; number <= last; number++) {
      await release(number);
      const reloaded = await quiesce('reload');
      expect(reloaded.code, reloaded.err).to.equal(0);
      await rm(join(root, 'releases', String(number - 1)), { recursive: true });
      expect((await send(url)).text).to.equal(String(number));
    }
    expect(await readlink(current)).to.equal(`releases/${last}`);

    // What a worker and the mirror thread start from has gone with the first release.
    const { workers } = await control.status();
    asking = false;
    await Promise.all(load);
    const releases = Array.from({ length: last }, (_, index) => String(index + 1));
    expect([...seen.keys()].sort((a, b) => Number(a) - Number(b))).to.deep.equal(releases);
    if (last > 3) console.log(`      ${[...seen].map(([text, count]) => `release ${text}: ${count}`).join(', ')}`);

    process.kill(workers[0]!.pid!, 'SIGKILL');
    const isReplaced = async (): Promise<boolean> => {
      const [first] = (await control.status()).workers;
      return first?.state === 'serving' && first.incarnation > workers[0]!.incarnation;
    };
    await until('the killed worker is replaced', isReplaced, { within: 30_000 });
    // Its keeper, too, was started from a release that is gone.
    const former = (await control.status()).pid;
    process.kill(former, 'SIGKILL');
    const isNext = async (): Promise<boolean> => {
      const { pid, workers: next } = await control.status();
      return pid !== former && next.every(({ state }) => state === 'serving');
    };
    await until('the killed primary is replaced', () => isNext().catch(() => false), { within: 30_000 });
    const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '[{"id":1}]' };
    expect((await send(`${url}/api/sync`, put)).status).to.equal(204);

    const twin = await quiesce('start');
    expect(twin.code, twin.err).to.equal(3);
    expect(twin.err).to.include(`pid ${primary.pid})`);
    expect((await quiesce('maintenance', 'on')).code).to.equal(0);
    expect((await quiesce('runs')).out).to.include('succeeded');
    const stopped = await quiesce('stop');
    expect(stopped.code, stopped.err).to.equal(0);

    const next = spawn(process.execPath, [command, 'start'], {
      cwd: join(root, 'releases', String(last)), // as a service manager that has entered `current`
      env: { ...inherited, ...env, PWD: '/' },
      stdio: 'ignore',
    });
    children.push(next);
    const held = await until('the next one is held', () => control.status().catch(() => undefined), { within: 30_000 });
    const { dataDir } = dataPlace('shop', current, env);
    expect(readOwner(dataDir)).to.deep.include({ pid: held.pid }).and.to.have.nested.property('keeper.pid', next.pid);
    expect(held.holds).to.have.lengthOf(1);
  });
});

describe('a site whose data directory is removed', function () {
  this.timeout(120_000);
  const clusters = usePlainClusters();

  it('serves on, has all of it again, and a restart knows of the hold', async () => {
    const script = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));
    const cluster = await clusters.start({ script, instances: 1 });
    const { dataDir } = cluster;
    await cluster.control.maintenance({ on: true, reason: 'moving' });
    const token = await readFile(join(dataDir, 'admin.token'), 'utf8');
    await rm(dataDir, { recursive: true });
    await cluster.said(/was removed while the app runs; it is made anew/);
    const files = [
      'primary.json',
      'control.sock',
      'maintenance.json',
      'workers.json',
      'runs',
      'journal',
      'spool',
      'work',
    ];
    await until('all of it is there', () => files.every((name) => existsSync(join(dataDir, name))));
    expect((await cluster.status()).holds).to.have.lengthOf(1);
    expect(await readFile(join(dataDir, 'admin.token'), 'utf8')).to.equal(token);

    await rm(join(dataDir, 'control.sock'));
    await until('the socket alone is there again', () => existsSync(join(dataDir, 'control.sock')));
    await cluster.kill();
    cluster.launch();
    expect((await cluster.ready()).holds).to.have.lengthOf(1);
  });
});
