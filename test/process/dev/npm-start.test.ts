import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Connection } from '../../../dev/cluster/connection.ts';
import { freePort } from '../../../dev/free-port.ts';
import { mongodsOn } from '../../../dev/mongodb/process-identity.ts';
import { until } from '../harness/until.ts';

const start = fileURLToPath(new URL('../../../dev/start.js', import.meta.url));

describe('npm start', function () {
  this.timeout(120_000);
  let folder: string;
  let port: number;
  let child: ChildProcess | undefined;
  let output: string;

  before(function () {
    // What is tested is what happens where it is not set.
    if (process.env['MONGODB_URI']) this.skip();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(await realpath(tmpdir()), 'quiesce-start-'));
    port = await freePort();
    const script = fileURLToPath(import.meta.resolve('#quiesce/worker/main.js'));
    const app = { name: 'app', script, instances: 2, quiesce: { admin: { port: 0 } } };
    await writeFile(join(folder, 'ecosystem.config.json'), JSON.stringify({ apps: [app] }));
  });

  afterEach(async () => {
    child?.kill('SIGKILL');
    await mongodGone();
    await rm(folder, { recursive: true, maxRetries: 5 });
  });

  async function npmStart(): Promise<void> {
    output = '';
    const env = { ...process.env, PORT: String(port), HOST: '127.0.0.1', NO_COLOR: '1' };
    const started = spawn(process.execPath, [start], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    await until(
      'the app is ready',
      () => {
        if (started.exitCode !== null) throw new Error(output);
        return output.includes('app is ready');
      },
      { within: 60_000 },
    );
  }

  async function mongodGone(): Promise<void> {
    await until(
      'mongod is gone',
      async () => (await mongodsOn(join(folder, '.quiesce', 'mongodb', 'db'))).length === 0,
    );
  }

  async function request(path: string, body?: unknown): Promise<string> {
    const connection = new Connection(`http://127.0.0.1:${port}`);
    try {
      const headers = { 'Content-Type': 'application/json' };
      const put = { method: 'PUT' as const, headers, body: JSON.stringify(body) };
      const { status, text } = await connection.request(path, body === undefined ? {} : put);
      return `${status} ${text}`;
    } finally {
      await connection.close();
    }
  }

  it('says that it starts a MongoDB, finds the data again after a kill, and ends both on SIGINT', async () => {
    await npmStart();
    expect(output).to.match(
      /MONGODB_URI is not set: starting a MongoDB for development, its data in \.quiesce.mongodb/,
    );
    expect(await request('/api/sync', [{ id: 'one' }])).to.equal('204 ');
    const killed = once(child as ChildProcess, 'exit');
    child?.kill('SIGKILL');
    await killed;

    await npmStart();
    // A kill so soon after the answer may leave the run to be looked at again, for which the cluster is held.
    const answer = await until('it serves', async () => {
      const found = await request('/api/resources');
      return found.startsWith('503 ') && found.includes('"kind":"sync"') ? null : found;
    });
    expect(answer).to.equal('200 {"items":[{"id":"one"}],"next":null}');
    const ended = once(child as ChildProcess, 'exit');
    child?.kill('SIGINT');
    expect(await ended).to.deep.equal([0, null]);
    await mongodGone();
  });
});
