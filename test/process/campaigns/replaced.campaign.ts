/**
 * `npm run campaign:replaced`: ten changes of the file, of every kind, and ten replaced primaries, each by another Node, under
 * traffic of connections that are kept and of new ones, whose requests take 300 ms. None may fail.
 */
import { execFile } from 'node:child_process';
import { readFile, readlink, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Load } from '../../../dev/load/load.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { quiesceCommand, runProgram } from '../harness/commands/command.ts';

const plain = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));
const versions = [22, 24, 26, 24, 22, 26, 22, 24, 26, 22] as const;

type App = Record<string, unknown> & { env: Record<string, string>; quiesce: Record<string, unknown> };

/** What is changed, one after another. */
const changes: readonly ((app: App, folder: string) => void)[] = [
  (app) => void (app.env['COLOR'] = 'blue'),
  (app) => void (app['args'] = ['--fast']),
  (app) => void (app['node_args'] = ['--max-old-space-size=200']),
  (app) => void (app['instances'] = 3),
  (app) => void Object.assign(app, { kill_timeout: 10_000, listen_timeout: 20_000 }),
  (app) => void (app['max_memory_restart'] = '400M'),
  (app) => void Object.assign(app.quiesce, { maintenance: { drain_timeout: '20s' }, heartbeat: { timeout: '20s' } }),
  (app, folder) => void Object.assign(app, { out_file: join(folder, 'out.log'), error_file: join(folder, 'err.log') }),
  (app) => void Object.assign(app, { instances: 2, cron_restart: '0 4 * * *' }),
  (app) => void Object.assign(app, { env: { PORT: app.env['PORT'], HOST: app.env['HOST'] }, args: [], node_args: [] }),
];

describe('everything that is replaced while the site serves', function () {
  this.timeout(1_800_000);
  const clusters = usePlainClusters();

  async function nodeOf(version: number): Promise<string> {
    const { stdout } = await promisify(execFile)('npx', ['-y', `node@${version}`, '-p', 'process.execPath']);
    return stdout.trim();
  }

  it('fails no request', async () => {
    const nodes = new Map<number, string>();
    for (const version of new Set(versions)) nodes.set(version, await nodeOf(version));
    const cluster = await clusters.start({ script: plain, keeper: true });
    const load = { url: cluster.url, paths: ['/?ms=300'], connections: 8, timeout: 30_000 };
    const loads = [true, false].map((keepAlive) => new Load({ ...load, keepAlive }));
    const own = ['--data-dir', cluster.dataDir];
    for (const [index, change] of changes.entries()) {
      const file = JSON.parse(await readFile(cluster.configFile, 'utf8')) as { apps: [App] };
      change(file.apps[0], cluster.folder);
      await writeFile(cluster.configFile, JSON.stringify(file));
      const order = (version: number, ...args: string[]): ReturnType<typeof runProgram> =>
        runProgram(nodes.get(version)!, [quiesceCommand, 'reload', ...args, ...own], {
          cwd: cluster.folder,
          within: 120_000,
        });
      const version = versions[index]!;
      const reloaded = await order(version);
      expect(reloaded.code, reloaded.err).to.equal(0);
      expect(reloaded.err, 'cut off').to.not.include('cut off');
      const replaced = await order(version, '--primary');
      expect(replaced.code, replaced.err).to.equal(0);
      const { pid, workers } = await cluster.status();
      for (const each of [pid, ...workers.map((worker) => worker.pid)])
        expect(await readlink(`/proc/${each}/exe`), `Node ${version}`).to.equal(await realpath(nodes.get(version)!));
      console.log(`node ${version}: ${reloaded.out.trim().replaceAll('\n', '; ')}; ${replaced.out.trim()}`);
    }
    const reports = await Promise.all(loads.map((each) => each.stop()));
    console.log(JSON.stringify(reports));
    for (const { byStatus, failures } of reports) {
      expect(failures).to.deep.equal({});
      expect(Object.keys(byStatus)).to.deep.equal(['200']);
    }
  });
});
