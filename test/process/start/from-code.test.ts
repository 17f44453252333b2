/** A site that a program of one's own starts, by `run` of quiesce/primary. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { freePort } from '../../../dev/free-port.ts';
import { root } from '../../../dev/docs/generated.ts';
import { scratchFolders } from '../../unit/scratch.ts';
import { quiesce } from '../harness/commands/command.ts';
import { until } from '../harness/until.ts';

const repository = fileURLToPath(root);

const app = `
const { existsSync } = require('node:fs');
const express = require('express');
const { gate, listen } = require('quiesce');
const app = express();
app.use(gate());
app.get('/', (req, res) => res.json({ pid: process.pid, colour: process.env.COLOUR }));
app.get('/slow', (req, res) => {
  const look = setInterval(() => {
    if (!existsSync(__dirname + '/go')) return;
    clearInterval(look);
    res.end('done');
  }, 20);
});
listen(app);
`;

/** Does what it is told: the text of an async function's body, which may use \`site\` and \`kept\`. */
const host = `
const { run } = require('quiesce/primary');
const kept = {};
let site;
process.on('message', async ({ code }) => {
  try {
    const result = await eval('(async () => {' + code + '})()');
    process.send({ result });
  } catch (error) {
    process.send({ error: { name: error.name, code: error.code, message: error.message } });
  }
});
process.send({ result: 'here' });
`;

interface Failure {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
}

describe('a site that a program starts', function () {
  this.timeout(120_000);
  const scratch = scratchFolders();
  let folder: string;
  let dataDir: string;
  let port: number;
  let program: ChildProcess;

  beforeEach('a program in CommonJS, and an app', async () => {
    folder = scratch({ 'app.js': app, 'host.cjs': host, 'package.json': '{ "type": "commonjs", "private": true }' });
    dataDir = join(folder, 'data');
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(repository, join(folder, 'node_modules', 'quiesce'));
    symlinkSync(join(repository, 'node_modules', 'express'), join(folder, 'node_modules', 'express'));
    port = await freePort();
    const { MONGODB_URI: _uri, QUIESCE_DATA_DIR: _dir, PORT: _port, ...env } = process.env;
    program = fork(join(folder, 'host.cjs'), { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    await once(program, 'message');
  });
  afterEach('it is gone', async () => {
    if (program.exitCode !== null || program.signalCode !== null) return;
    program.kill('SIGKILL');
    await once(program, 'exit');
  });

  async function tell<T>(code: string): Promise<T> {
    program.send({ code });
    const [{ result, error }] = (await once(program, 'message')) as [{ result: T; error?: Failure }];
    if (error !== undefined) throw Object.assign(new Error(error.message), error);
    return result;
  }
  const codeOf = (told: Promise<unknown>): Promise<string> =>
    told.then(
      () => 'none',
      (error: Failure) => error.code ?? error.message,
    );
  const start = (more = '', options = ''): Promise<ClusterStatus> =>
    tell(`site = await run({ script: 'app.js', instances: 2, quiesce: { admin: false }, ${more} },
      { port: ${port}, dataDir: ${JSON.stringify(dataDir)}, ${options} }); return site.status();`);
  const get = async (path = '/'): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { Connection: 'close' } });
  const pids = ({ workers }: ClusterStatus): number[] => workers.map(({ pid }) => pid!);
  const isGone = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  };

  it('serves, and is told, held, used alone, reloaded, scaled and stopped by it', async () => {
    const now = await start('env: { COLOUR: "blue" }');
    expect(now).to.include({ name: 'app', phase: 'serving', pid: program.pid });
    expect(now.workers).to.have.lengthOf(2);
    expect(now.workers.some(({ state }) => state === 'serving')).to.equal(true);
    expect(await tell('return site.urls()')).to.deep.equal([`http://127.0.0.1:${port}`]);
    expect(await (await get()).json()).to.include({ colour: 'blue' });
    expect((await quiesce(['status', '--data-dir', dataDir], { cwd: folder })).out, 'the commands find it').to.match(
      /^app {2}serving/,
    );
    expect(await codeOf(start()), 'a process has one').to.equal('already-running');

    const slow = get('/slow');
    await until('it is at work', async () =>
      (await tell<ClusterStatus>('return site.status()')).workers.some((each) => each.inFlight > 0),
    );
    expect(await codeOf(tell('return site.hold({ timeout: 100 })'))).to.equal('drain-timeout');
    const held = tell<ClusterStatus>("return site.hold({ reason: 'a move', by: 'ann' })");
    await until('it drains', async () => (await get()).status === 503);
    writeFileSync(join(folder, 'go'), '');
    expect(await held).to.include({ phase: 'quiesced' });
    expect((await slow).status, 'it was waited for').to.equal(200);
    expect((await get()).status).to.equal(503);
    expect((await tell<ClusterStatus>('return site.release()')).phase).to.equal('serving');

    expect(
      await tell('return site.exclusive(async ({ id }) => [site.status().phase, site.status().run.id === id])'),
    ).to.deep.equal(['quiesced', true]);
    expect(await codeOf(tell("return site.exclusive(() => { throw new Error('it broke') })"))).to.equal('it broke');
    const [{ error }] = (await tell<{ error: { detail: string } }[]>('return site.runs(1)')) as [
      { error: { detail: string } },
    ];
    expect(error.detail).to.equal('The work threw: it broke');
    await tell(
      'kept.run = site.exclusive(({ id, signal }) => new Promise((done) => { kept.id = id; signal.onabort = done; })); kept.run.catch(() => {});',
    );
    const id = await until('it runs', () => tell<string>('return kept.id'));
    expect(await codeOf(tell('return site.exclusive(() => 1)')), 'one at a time').to.equal('run-in-progress');
    expect((await quiesce(['runs', 'cancel', id, '--data-dir', dataDir], { cwd: folder })).code).to.equal(0);
    expect(await codeOf(tell('return kept.run'))).to.equal('run-cancelled');
    expect((await get()).status, 'nothing is left of it').to.equal(200);

    const before = pids(await tell('return site.status()'));
    expect(await tell('return site.reload()')).to.deep.equal([]);
    const after = pids(await tell('return site.status()'));
    expect(after.filter((pid) => before.includes(pid))).to.deep.equal([]);
    await tell('return site.scale(1)');
    expect(pids(await tell('return site.status()'))).to.have.lengthOf(1);

    await tell('await Promise.all([site.stop(), site.stop()]); await site.ended;');
    expect(after.every(isGone)).to.equal(true);
    expect((await start()).workers, 'and started again').to.have.lengthOf(2);
  });

  it('ends with it, however it ends: nobody would hold the gates', async () => {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const workers = pids(await start());
      const gone = once(program, 'exit');
      program.kill(signal);
      expect(await gone, 'it owns its signals').to.deep.equal([null, signal]);
      await until('its workers are gone', () => workers.every(isGone));
      if (signal === 'SIGTERM') return;
      program = fork(join(folder, 'host.cjs'), { cwd: folder, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
      await once(program, 'message');
    }
  });

  it('hears signals where it says so, and writes to its stdout where it says so', async () => {
    let out = '';
    program.stdout!.on('data', (chunk) => (out += String(chunk)));
    await start('', 'signals: true, stdout: true');
    program.kill('SIGUSR2');
    await until('it is held', async () => (await get()).status === 503);
    program.kill('SIGTERM');
    await tell('await site.ended');
    await until('its log is there', () => out.includes('"msg":"SIGTERM received"'));
  });

  it('is not left half started: what is wrong is thrown, and a second try succeeds', async () => {
    expect(await codeOf(start('instances: "many"'))).to.equal('bad-config');
    expect(await codeOf(start('script: "nothing.js"'))).to.equal('bad-config');
    expect(await codeOf(tell("return run('nothing.config.js')"))).to.equal('bad-config');
    const taken = createServer().listen(port, '127.0.0.1');
    await once(taken, 'listening');
    expect(await codeOf(start(`env: { HOST: '127.0.0.1' }`))).to.equal('port-in-use');
    taken.close();
    expect((await start()).phase).to.equal('serving');
  });
});
