import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { freePort } from '../../../dev/free-port.ts';
import { Load, type LoadOptions } from '../../../dev/load/load.ts';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { quiesce, type Ended } from '../harness/commands/command.ts';
import { useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));

interface App {
  env: Record<string, string>;
  quiesce: Record<string, unknown>;
  [setting: string]: unknown;
}

interface Started {
  readonly slot: string;
  readonly args: string[];
  readonly execArgv: string[];
  readonly env: Record<string, string>;
}

describe('a reload takes the configuration as it is now', function () {
  this.timeout(60_000);
  const shared = useSharedPlainCluster({
    script: app,
    instances: 2,
    env: { WHO: 'red' },
    app: { kill_timeout: 5_000 },
    primaryEnv: { FROM_START: 'yes' },
  });

  /** Traffic goes on until it is stopped, whatever becomes of the test. */
  const loads: Load[] = [];
  afterEach('no traffic is left', () => Promise.all(loads.splice(0).map((load) => load.stop())));
  const traffic = (options: LoadOptions): Load => {
    const load = new Load(options);
    loads.push(load);
    return load;
  };

  async function edit(change: (app: App) => void): Promise<void> {
    const { configFile } = shared.cluster;
    const { apps } = JSON.parse(await readFile(configFile, 'utf8')) as { apps: [App] };
    change(apps[0]);
    await writeFile(configFile, JSON.stringify({ apps }));
  }

  const command = (...args: string[]): Promise<Ended> =>
    quiesce([...args, '--data-dir', shared.cluster.dataDir], { cwd: shared.cluster.folder });
  const started = async (): Promise<Started> =>
    (await (await fetch(`${shared.cluster.url}/started`, { headers: { Connection: 'close' } })).json()) as Started;
  const who = async (): Promise<string> =>
    (await fetch(shared.cluster.url, { headers: { Connection: 'close' } })).text();
  const incarnations = ({ workers }: ClusterStatus): string[] =>
    workers.map(({ slot, incarnation }) => `${slot}.${incarnation}`);

  it('shows what it would change with --dry-run, and changes nothing', async () => {
    const before = incarnations(await shared.cluster.status());
    await edit(({ env }) => Object.assign(env, { WHO: 'blue', API_TOKEN: 'sesame' }));
    const { code, out } = await command('reload', '--dry-run');
    expect([code, out]).to.deep.equal([
      0,
      'env.WHO: red → blue\nenv.API_TOKEN: not set → (hidden)\nnothing was changed: --dry-run\n',
    ]);
    expect([await who(), incarnations(await shared.cluster.status())]).to.deep.equal(['red', before]);
  });

  it('brings all of it into force, and fails no request', async () => {
    const { cluster } = shared;
    const load = traffic({ url: cluster.url, paths: ['/?ms=300', '/'], connections: 8 });
    const port = await freePort();
    const outFile = join(cluster.folder, 'out.log');
    await edit((config) => {
      Object.assign(config, { args: '--deep', node_args: '--no-warnings', instances: 3, max_memory_restart: '2G' });
      Object.assign(config, { merge_logs: true, out_file: outFile, cron_restart: '0 0 1 1 *', kill_timeout: 6_000 });
      Object.assign(config.quiesce, {
        admin: { port },
        maintenance: { drain_timeout: '1s' },
        mongodb: { db: 'other' },
      });
    });
    const { code, out, err } = await command('reload');
    expect(code, err).to.equal(0);
    // This one was started with --no-keeper.
    const left = 'Only a new primary takes quiesce.mongodb.db: stop the app and start it again';
    expect(err).to.include(`warning: ${left}\n`);
    await cluster.said(new RegExp(left));
    for (const line of ['env.WHO: red → blue', 'instances: 2 → 3', 'args: (none) → --deep', 'reloaded 3 workers'])
      expect(out).to.include(line);
    expect(out).not.to.include('sesame');
    const { args, execArgv, env } = await started();
    expect([args, execArgv, env['WHO'], env['FROM_START']]).to.deep.equal([
      ['--deep'],
      ['--no-warnings'],
      'blue',
      'yes',
    ]);
    expect((await fetch(`http://127.0.0.1:${port}/api/status`)).status).to.equal(200);
    await cluster.said(/env\.WHO: red → blue; /);
    await until('its line is in out_file', async () =>
      /^asked what/m.test(await readFile(outFile, 'utf8').catch(() => '')),
    );
    const report = await load.stop();
    expect(report.failures, JSON.stringify(report)).to.deep.equal({});
    const slow = fetch(`${cluster.url}/?ms=5000`);
    await cluster.until('it is in flight', ({ workers }) => workers.some(({ inFlight }) => inFlight > 0));
    const held = await cluster.control.maintenance({ on: true, wait: true }).catch((error: Error) => error);
    expect((held as Error).message).to.include('After 1000 ms the cluster had not come to rest');
    expect((await slow).status).to.equal(200);
    const again = await command('reload');
    expect(again.out, 'what only a new primary takes is still to come').to.match(
      /^quiesce\.mongodb\.db: .* → other\nreloaded 3 workers\n$/,
    );
    await edit((config) => {
      config['instances'] = 2;
      delete config.quiesce['mongodb'];
      delete config['args'];
    });
    const { workers } = await cluster.control.reload();
    expect(workers.filter(({ state }) => state === 'serving')).to.have.length(2);
  });

  it('refuses a file that is wrong, names all that is wrong, and changes nothing', async () => {
    const before = incarnations(await shared.cluster.status());
    await edit((config) =>
      Object.assign(config, { instances: 'many', colour: 'red', env: { ...config.env, WHO: 'x' } }),
    );
    const { code, err } = await command('reload');
    expect(code).to.equal(2);
    expect(err).to.match(/is wrong in 2 places:\n.*colour is not a setting.*\n.*instances cannot be "many"/);
    shared.cluster.signal('SIGHUP');
    await shared.cluster.said(/what SIGHUP asked for failed/);
    expect([await who(), incarnations(await shared.cluster.status())]).to.deep.equal(['blue', before]);
    await edit((config) => {
      delete config['colour'];
      Object.assign(config, { instances: 2, env: { ...config.env, WHO: 'blue' } });
    });
  });

  it('leaves the old settings in force for all where a new worker cannot boot, also for those that could', async () => {
    const { cluster } = shared;
    const load = traffic({ url: cluster.url, paths: ['/'], connections: 4, pause: 5 });
    const port = await freePort();
    await edit((config) => {
      Object.assign(config.env, { WHO: 'green', BROKEN_SLOT: '1' });
      config.quiesce['admin'] = { port };
      config['instances'] = 3;
    });
    const { code, err } = await command('reload');
    expect(code, err).to.equal(4);
    expect(err).to.match(/Worker 1\.\d+ could not boot: .*this build is broken[^]*The old settings stay in force\./);
    const status = await cluster.until('two workers serve', ({ workers }) => {
      return workers.length === 2 && workers.every(({ state }) => state === 'serving');
    });
    expect(status.warnings).to.equal(undefined);
    for (let request = 0; request < 6; request++) expect(await who()).to.equal('blue');
    expect(await fetch(`http://127.0.0.1:${port}/`).catch(() => 'refused')).to.equal('refused');
    expect((await load.stop()).failures).to.deep.equal({});
    await edit(({ env }) => delete env['BROKEN_SLOT']);
    await edit((config) => (config['instances'] = 2));
    expect((await cluster.control.reload()).changes.map(({ setting }) => setting)).to.deep.equal([
      'env.WHO',
      'quiesce.admin.port',
    ]);
  });

  it('does not take an admin port that is in use, and changes nothing else then', async () => {
    const { cluster } = shared;
    await edit((config) => {
      config.quiesce['admin'] = { port: cluster.port };
      config.env['WHO'] = 'black';
    });
    const { code, err } = await command('reload');
    expect([code, err]).to.deep.equal([4, err]);
    expect(err).to.include(`cannot listen on 127.0.0.1:${cluster.port}`);
    expect(await who()).to.equal('green');
    await edit((config) => {
      config.quiesce['admin'] = { port: 0 };
    });
  });

  it('says how far it has come and whom it waits for, and warns of what it has cut off', async () => {
    const { cluster } = shared;
    await edit((config) => (config['kill_timeout'] = 3_000));
    await cluster.control.reload();
    const cut = Array.from({ length: 4 }, () => fetch(`${cluster.url}/?ms=60000`).catch(() => 'cut off'));
    await cluster.until('they are in flight', ({ workers }) => {
      return workers.reduce((sum, { inFlight }) => sum + inFlight, 0) === 4;
    });
    const { code, out, err } = await command('reload');
    expect([code, out], err).to.deep.equal([0, 'reloaded 2 workers\n']);
    expect(err).to.match(/^\d of 2 workers new; waiting for worker \d\.\d+ to finish \d requests?$/m);
    expect(err).to.match(
      /warning: [12] workers? had not finished after 3000 ms, the kill_timeout, .*The reload cut off 4 requests\./,
    );
    expect(await Promise.all(cut)).to.deep.equal(Array.from({ length: 4 }, () => 'cut off'));
  });

  it('comes at the times of cron_restart that the file names by now, and takes what the file says then', async () => {
    const { cluster } = shared;
    await edit((config) => (config['cron_restart'] = '* * * * * *'));
    await cluster.control.reload();
    await edit(({ env }) => (env['WHO'] = 'cron'));
    await until('it is taken', async () => (await who().catch(() => '')) === 'cron');
    await cluster.said(/time for the reload that cron_restart asks for/);
    await edit((config) => delete config['cron_restart']);
    await cluster.control.reload();
    // A time that came during that reload has one more wait behind it.
    await cluster.control.reload();
  });

  it('comes once more, and only once, for all orders that come while it goes on, with the file as it is then', async () => {
    const { cluster } = shared;
    await cluster.control.maintenance({ on: true, wait: true });
    const before = (await cluster.status()).workers.map(({ incarnation }) => incarnation);
    await edit(({ env }) => (env['WHO'] = 'grey'));
    const first = cluster.control.reload();
    await cluster.until('it goes on', ({ workers }) => workers.length > 2);
    await edit(({ env }) => (env['WHO'] = 'white'));
    for (let signal = 0; signal < 20; signal++) cluster.signal('SIGHUP');
    const [one, other] = await Promise.all([cluster.control.reload(), cluster.control.reload()]);
    expect((await first).changes.map(({ to }) => to)).to.include('grey');
    expect([one.changes, other.changes].map((changes) => changes.map(({ to }) => to))).to.deep.equal([
      ['white'],
      ['white'],
    ]);
    const after = (await cluster.status()).workers.filter(({ state }) => state !== 'stopping');
    expect(after.map(({ state }) => state)).to.deep.equal(['quiesced', 'quiesced']);
    expect(after.map(({ incarnation }) => incarnation)).to.deep.equal(before.map((each) => each + 2));
    await cluster.control.maintenance({ on: false });
    expect(await until('it serves', async () => (await who()) || undefined)).to.equal('white');
  });
});
