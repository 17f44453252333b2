import { expect } from 'chai';
import os from 'node:os';
import path from 'node:path';
import { dataPlace } from '#quiesce/config/data-place.js';
import { loadConfig, type LoadOptions } from '#quiesce/config/load.js';
import type { QuiesceError } from '#quiesce/errors.js';
import { scratchFolders } from '../scratch.js';

const scratch = scratchFolders();
function config(apps: unknown, more = ''): Record<string, string> {
  return {
    'package.json': '{"type":"module"}',
    'app.js': '',
    'ecosystem.config.js': `export const apps = ${JSON.stringify(apps)};\n${more}`,
  };
}
async function load(apps: unknown, options: LoadOptions = {}): Promise<Awaited<ReturnType<typeof loadConfig>>> {
  return loadConfig(undefined, { folder: scratch(config(apps)), processEnv: {}, ...options });
}

async function refusal(loading: Promise<unknown>): Promise<QuiesceError> {
  return loading.then(
    () => expect.fail('it was accepted'),
    (error: QuiesceError) => error,
  );
}

describe('loadConfig', () => {
  it('names what no file system and no text can be, and throws nothing else', async () => {
    const cases: [object, RegExp][] = [
      [{ name: { toString: 1 }, script: 'app.js' }, /apps\[0\]: name cannot be/],
      [{ script: 'app.js', cwd: `/${'a'.repeat(5_000)}` }, /cwd is .* no such folder/],
      [{ script: 'a'.repeat(5_000) }, /script is .* no such file/],
      [{ script: 'app.js', quiesce: { maintenance: { page: 'a'.repeat(5_000) } } }, /page is .* no file/],
      [{ script: 'app.js', name: 'a'.repeat(201) }, /name has 201 bytes; at most 200/],
      [{ script: 'app.js', name: { toString: 1 }, args: { toString: 1 } }, /args cannot be/],
    ];
    for (const [app, expected] of cases) {
      const error = await refusal(load([app, { script: 'app.js', name: 'other' }]));
      expect(error.code).to.equal('bad-config');
      expect(error.message).to.match(expected);
    }
  });

  it('warns where the primary of a host of many accepts the connections itself', async () => {
    const cluster = { name: 'shop' };
    const warnings = async (quiesce: object): Promise<string> =>
      (await load([{ script: 'app.js', quiesce }])).warnings.join();
    expect(await warnings({ cluster, scheduling: 'rr' })).to.include("Use 'os'");
    expect(await warnings({ cluster })).to.equal('');
    expect(await warnings({ scheduling: 'rr' })).to.equal('');
  });

  it('finds the page of its own for a pause, and refuses one that is none or too large', async () => {
    const loadWith = (apps: unknown, files: Record<string, string>): ReturnType<typeof loadConfig> =>
      loadConfig(undefined, { folder: scratch({ ...config(apps), ...files }), processEnv: {} });
    const page = (file: string): object[] => [{ script: 'app.js', quiesce: { maintenance: { page: file } } }];
    const { apps } = await loadWith(page('back-soon.html'), { 'back-soon.html': '<p>' });
    expect(apps[0]!.maintenance.page).to.match(/\/back-soon\.html$/);
    for (const file of ['gone.html', '.', 'large.html']) {
      const error = await refusal(loadWith(page(file), { 'large.html': 'x'.repeat(256 * 1024 + 1) }));
      expect(error.message).to.include('quiesce.maintenance.page is ').and.include('no file of at most 256 kB');
    }
  });

  it('takes the name of a cluster, and has none without one', async () => {
    const { apps } = await load([
      { name: 'shop', script: 'app.js', quiesce: { cluster: { name: 'shop', lease: '20s' } } },
      { name: 'alone', script: 'app.js' },
    ]);
    expect(apps.map(({ cluster }) => [cluster.name, cluster.lease])).to.deep.equal([
      ['shop', 20_000],
      [null, 30_000],
    ]);
  });

  it('takes a script for an app of its own', async () => {
    const folder = scratch({ 'src/server.js': 'process.exit(1)' });
    const { apps, file } = await loadConfig('src/server.js', { folder, processEnv: {}, instances: '2', port: '8080' });
    expect(file).to.equal(null);
    const server = { name: 'server', script: path.join(folder, 'src/server.js'), cwd: folder, instances: 2 };
    expect(apps[0]).to.include(server);
    expect(apps[0]?.env).to.deep.equal({ PORT: '8080' });
    expect(apps[0]?.dataDir).to.equal(dataPlace('server', folder, {}).dataDir);
  });

  it('names every fault at once: field, value, what is allowed', async () => {
    const error = await refusal(
      load([
        {
          script: 'app.js',
          kill_timeout: 'soon',
          max_memory_restrat: '1G',
          uid: 'www-data',
          cron_restart: 'at noon',
          quiesce: {
            sync: { max_bytes: -1, stratgy: 'scan' },
            maintenance: { on_pause: 'wait' },
            heartbeat: 3,
            admin: { port: 70_000 },
          },
        },
      ]),
    );
    expect(error.code).to.equal('bad-config');
    expect(error.exitCode).to.equal(2);
    expect(error.message.split('\n').slice(1)).to.have.members([
      '  max_memory_restrat is not a setting of PM2 or quiesce; did you mean max_memory_restart?',
      '  uid is not supported: start quiesce itself as that user (`User=` in a systemd unit)',
      `  kill_timeout cannot be "soon"; it takes milliseconds above 0, or a time such as '500ms', '10s', '5m', '1h'`,
      `  cron_restart cannot be "at noon"; it takes a cron pattern such as '0 3 * * *', or 0 for none`,
      `  quiesce.sync.max_bytes cannot be -1; it takes bytes, or a size such as '512K', '512M', '1G'`,
      '  quiesce.sync.stratgy is not a setting of PM2 or quiesce; did you mean strategy?',
      `  quiesce.maintenance.on_pause cannot be "wait"; it takes 'refuse', 'hold'`,
      '  quiesce.heartbeat cannot be 3; it takes an object of settings',
      '  quiesce.admin.port cannot be 70000; it takes a whole number from 0 to 65535',
    ]);
  });

  it('prints no secret, neither from the file nor from the environment', async () => {
    const secrets = { sync: { token: 'has spaces s3cret' }, mongodb: { uri: 'http://user:s3cret@host' } };
    const fromFile = await refusal(load([{ script: 'app.js', quiesce: secrets }]));
    expect(fromFile.message)
      .to.include('quiesce.sync.token')
      .and.include('quiesce.mongodb.uri')
      .and.not.include('s3cret');
    const fromEnvironment = await refusal(
      load([{ script: 'app.js' }], { processEnv: { MONGODB_URI: 'http://user:s3cret@host' } }),
    );
    expect(fromEnvironment.message).to.include('MONGODB_URI').and.not.include('s3cret');
  });

  it('names what has no effect beside what is wrong', async () => {
    const error = await refusal(load([{ script: 'app.js', watch: true, instance: 2 }]));
    expect(error.message.split('\n')).to.have.lengthOf(4);
    expect(error.message).to.match(/\n {2}instance is not .*\nand these have no effect:\n {2}watch is not supported/);
  });

  it('warns of what PM2 has and quiesce has not, and only where it would do something', async () => {
    const { warnings } = await load([
      {
        script: 'app.js',
        watch: ['src'],
        exec_mode: 'fork',
        autorestart: true,
        vizion: true,
        namespace: 'default',
      },
    ]);
    expect(warnings.map((warning) => warning.split(' ')[0])).to.deep.equal(['watch', 'exec_mode']);
    const quiet = await load([{ script: 'app.js', watch: false, exec_mode: 'cluster' }]);
    expect(quiet.warnings).to.deep.equal([]);
    const folder = scratch(config([{ script: 'app.js' }], 'export const deploy = {};'));
    expect((await loadConfig(undefined, { folder, processEnv: {} })).warnings[0]).to.match(/^deploy is not supported/);
  });

  it("accepts PM2's other names and camelCase", async () => {
    const { apps } = await load([
      {
        exec: 'app.js',
        maxRestarts: 3,
        minUptime: '2s',
        interpreter_args: '--max-old-space-size=200',
        out: 'logs/out.log',
        errorFile: '/dev/null',
        cron: '0 3 * * *',
        combine_logs: true,
        time: true,
      },
    ]);
    expect(apps[0]).to.include({
      maxRestarts: 3,
      minUptime: 2000,
      errorFile: null,
      cronRestart: '0 3 * * *',
      mergeLogs: true,
      logDateFormat: 'YYYY-MM-DDTHH:mm:ss',
    });
    expect(apps[0]?.nodeArgs).to.deep.equal(['--max-old-space-size=200']);
    expect(apps[0]?.outFile).to.match(/logs\/out\.log$/);
  });

  it('lets a flag win over a variable, and a variable over the file', async () => {
    const app = {
      script: 'app.js',
      env: { PORT: 1, OTHER: 1 },
      quiesce: { data_dir: 'kept', mongodb: { uri: 'mongodb://file' }, sync: { token: 'of-the-file' } },
    };
    const processEnv = {
      PORT: '2',
      HOST: '::1',
      OTHER: '2',
      MONGODB_URI: 'mongodb://variable',
      QUIESCE_SYNC_TOKEN: 'of-the-variable',
      QUIESCE_DATA_DIR: '/variable',
    };
    const fromFile = (await load([app])).apps[0];
    expect(fromFile).to.deep.include({ env: { PORT: '1', OTHER: '1' } });
    expect(fromFile?.dataDir).to.match(/\/kept$/);
    expect([fromFile?.mongodb.uri, fromFile?.sync.token]).to.deep.equal(['mongodb://file', 'of-the-file']);
    const fromVariables = (await load([app], { processEnv })).apps[0];
    expect(fromVariables).to.deep.include({ env: { PORT: '2', HOST: '::1', OTHER: '1' }, dataDir: '/variable' });
    expect([fromVariables?.mongodb.uri, fromVariables?.sync.token]).to.deep.equal([
      'mongodb://variable',
      'of-the-variable',
    ]);
    const fromFlags = (await load([app], { processEnv, port: '3', dataDir: '/flag' })).apps[0];
    expect(fromFlags).to.deep.include({ env: { PORT: '3', HOST: '::1', OTHER: '1' }, dataDir: '/flag' });
  });

  it('adds the variables of --env, and keeps the sync token out of what workers get', async () => {
    const app = {
      script: 'app.js',
      env: { A: 1, B: { deep: true }, QUIESCE_SYNC_TOKEN: 'secret' },
      env_production: { A: 2, C: false },
    };
    const { apps } = await load([app], { envName: 'production' });
    expect(apps[0]?.env).to.deep.equal({ A: '2', B: '{"deep":true}', C: 'false' });
    expect(apps[0]?.sync.token).to.equal('secret');
    expect((await refusal(load([app], { envName: 'staging' }))).message).to.include('env_production');
    const wrong = { script: 'app.js', env_production: 'NODE_ENV=production, PASSWORD=secret' };
    const { message } = await refusal(load([wrong]));
    expect(message).to.include('env_production cannot be what it is').and.not.include('secret');
  });

  it('keeps several apps apart', async () => {
    const apps = [
      { name: 'web', script: 'app.js', env: { PORT: 3000 } },
      { name: 'api', script: 'app.js' },
    ];
    const both = await load(apps, { processEnv: { PORT: '4000' }, dataDir: '/data' });
    expect(both.apps.map(({ dataDir, admin, env }) => [dataDir, admin?.port, env['PORT']])).to.deep.equal([
      ['/data/web', 9615, '3000'],
      ['/data/api', 9616, '4000'],
    ]);
    expect(both.warnings[0]).to.match(/^web: PORT=3000 of the file is used/);
    const one = await load(apps, { only: 'api', dataDir: '/data', port: '1' });
    expect(one.apps.map(({ name, dataDir, admin }) => [name, dataDir, admin?.port])).to.deep.equal([
      ['api', '/data', 9616],
    ]);
    expect((await refusal(load(apps, { only: 'db' }))).message).to.include('web, api');
    expect((await refusal(load(apps, { port: '1' }))).message).to.include('--only');
    expect((await refusal(load([apps[0], { ...apps[1], name: 'web' }]))).message).to.include('two apps are called web');
    const shared = apps.map((app) => ({ ...app, quiesce: { data_dir: 'same' } }));
    expect((await refusal(load(shared))).message).to.include('api: quiesce.data_dir is that of web too');
  });

  it('counts instances from the cores of this machine', async () => {
    const { apps } = await load([{ script: 'app.js', instances: 'max' }]);
    expect(apps[0]?.instances).to.equal(os.availableParallelism());
    expect((await refusal(load([{ script: 'app.js' }], { instances: 'lots' }))).message).to.match(
      /^--instances cannot be "lots"; it takes 'max'/,
    );
  });
});
