import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Client } from 'undici';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { isAlive } from '../harness/processes.ts';
import { until } from '../harness/until.ts';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));

/** What a worker finds around itself; the same expressions in ESM and CommonJS. */
const facts = `{
  argv: process.argv.slice(1), execArgv: process.execArgv, cwd: process.cwd(), pid: process.pid,
  env: Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(NODE_APP_INSTANCE|SHARD|BASE_PORT|QUIESCE_.*)$/.test(name))),
}`;

const scripts = {
  'app.mjs': `import http from 'node:http';
    const main = process.argv[1] === import.meta.filename;
    await new Promise((resolve) => setTimeout(resolve, 20));
    http.createServer((req, res) => res.end(JSON.stringify({ main, ...${facts} }))).listen(process.env.PORT);`,
  'app.cjs': `const http = require('node:http');
    const main = require.main === module;
    http.createServer((req, res) => res.end(JSON.stringify({ main, ...${facts} }))).listen(process.env.PORT);`,
};

interface Facts {
  readonly main: boolean;
  readonly argv: string[];
  readonly execArgv: string[];
  readonly cwd: string;
  readonly pid: number;
  readonly env: Record<string, string>;
}

describe('what a worker boots with', function () {
  this.timeout(60_000);
  const clusters = usePlainClusters();

  /** A script of its own beside the configuration, and `quiesce` to import. */
  async function write(name: string, text: string): Promise<string> {
    const folder = await realpath((await clusters.create()).folder);
    const script = join(folder, 'lib', name);
    await mkdir(join(dirname(script), 'node_modules'), { recursive: true });
    await symlink(repository, join(dirname(script), 'node_modules', 'quiesce'));
    await writeFile(script, text);
    return script;
  }

  /** What each of so many workers found, by its slot. Which worker takes a connection is not ours to choose. */
  async function askAll({ url }: Cluster, count: number): Promise<Map<string, Facts>> {
    const found = new Map<string, Facts>();
    while (found.size < count) {
      const clients = Array.from({ length: 16 }, () => new Client(url));
      const answers = await Promise.all(clients.map((client) => client.request({ path: '/', method: 'GET' })));
      for (const { body } of answers) {
        const facts = (await body.json()) as Facts;
        found.set(facts.env['QUIESCE_SLOT'] ?? '', facts);
      }
      await Promise.all(clients.map((client) => client.close()));
    }
    return found;
  }

  for (const [name, text] of Object.entries(scripts)) {
    it(`is what Node would start ${name} with`, async () => {
      const script = await write(name, text);
      const cluster = await clusters.start({
        script,
        instances: 2,
        args: ['--env', 'x'],
        primaryEnv: { QUIESCE_SYNC_TOKEN: 'sesame' },
        app: {
          args: ['--shard', 'a b'],
          node_args: ['--no-deprecation'],
          cwd: dirname(script),
          increment_var: 'BASE_PORT',
          instance_var: 'SHARD',
          env_x: { BASE_PORT: '4000' },
        },
      });
      for (const [shard, fact] of await askAll(cluster, 2)) {
        expect(fact).to.deep.include({
          main: true,
          argv: [script, '--shard', 'a b'],
          execArgv: ['--no-deprecation'],
          cwd: dirname(script),
          env: {
            SHARD: shard,
            BASE_PORT: String(4000 + Number(shard)),
            QUIESCE_SLOT: shard,
            QUIESCE_INCARNATION: '1',
          },
        });
      }
    });
  }

  it('with wait_ready serves when the app says so, and not when it listens', async () => {
    const script = await write(
      'app.mjs',
      `import http from 'node:http';
       http.createServer((req, res) => res.end()).listen(process.env.PORT, () => setTimeout(() => process.send('ready'), 600));`,
    );
    const cluster = await clusters.start({ script, instances: 1, app: { wait_ready: true } });
    expect((await cluster.status()).workers[0]!.uptime).to.be.at.least(600);
  });

  it('ignores the signals of a process group, and runs the clean-up of the app after its last request', async () => {
    const script = await write(
      'app.mjs',
      `import http from 'node:http';
       const server = http.createServer((req, res) => {
         console.log('asked');
         setTimeout(() => { console.log('answered'); res.end(); }, 500);
       });
       server.listen(process.env.PORT);
       process.on('SIGINT', () => {
         console.log('cleaning up');
         server.close(() => setTimeout(() => { console.log('cleaned up'); process.exit(7); }, 100));
       });`,
    );
    const cluster = await clusters.start({ script, instances: 1, app: { kill_timeout: 10_000 } });
    const [worker] = (await cluster.status()).workers;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU'] as const) {
      process.kill(worker!.pid!, signal);
    }
    const answer = fetch(cluster.url);
    await cluster.said(/"msg":"asked"/);
    expect(cluster.output).not.to.include('cleaning up');
    const stopped = cluster.stop();
    expect((await answer).status).to.equal(200);
    expect(await stopped).to.deep.equal({ code: 0, signal: null });
    const told = [...cluster.output.matchAll(/"msg":"(answered|cleaning up|cleaned up|worker 0\.1 ended[^"]*)"/g)];
    expect(told.map((match) => match[1])).to.deep.equal([
      'answered',
      'cleaning up',
      'cleaned up',
      // A clean-up that fails is a warning, with what it wrote last.
      String.raw`worker 0.1 ended with code 7 when it was to finish: answered\ncleaning up\ncleaned up`,
    ]);
  });

  it('ends by itself when its primary is killed', async () => {
    const script = await write('app.mjs', scripts['app.mjs']);
    const cluster = await clusters.start({ script, instances: 2 });
    const { workers } = await cluster.status();
    await cluster.kill();
    await until('they are gone', () => !workers.some(({ pid }) => isAlive(pid!)));
  });
});
