import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { dockerfile } from '#quiesce/cli/startup/docker.js';
import { startupPlan, type StartupPlan } from '#quiesce/cli/startup/plan.js';
import { pm2Config } from '#quiesce/cli/startup/pm2.js';
import { socketUnit } from '#quiesce/cli/startup/socket.js';
import { systemdUnit } from '#quiesce/cli/startup/systemd.js';
import { loadConfig } from '#quiesce/config/load.js';
import { scratchFolders } from '../scratch.js';
import { main } from './use-commands.js';

const scratch = scratchFolders();

async function planOf(app: Record<string, unknown> = {}, more: Partial<StartupPlan> = {}): Promise<StartupPlan> {
  const folder = scratch({
    'package.json': '{}',
    'src/app.js': '',
    'conf/ecosystem.config.json': JSON.stringify({
      apps: [{ name: 'web', script: 'src/app.js', cwd: '..', env: { PORT: 3000 }, ...app }],
    }),
  });
  const file = path.join(folder, 'conf/ecosystem.config.json');
  const { apps } = await loadConfig(file, { processEnv: {} });
  return { ...startupPlan({ app: apps[0]!, file, several: false, envName: undefined, dataDir: null }), ...more };
}

function linesOf(unit: string, key: string): string[] {
  return unit
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));
}

describe('startup', () => {
  it('makes a unit that systemd finds no fault with', async function () {
    const unit = systemdUnit(await planOf({ out_file: 'logs/out.log' }), { user: null });
    const verdict = spawnSync('systemd-analyze', ['verify', writeUnit(unit)], { encoding: 'utf8' });
    if (verdict.error !== undefined) this.skip();
    expect(verdict.stderr + verdict.stdout).to.not.match(/web\.service/);
    expect(verdict.status).to.equal(0);
  });

  it('makes a socket unit that systemd finds no fault with, beside the service of its name', async function () {
    const plan = await planOf();
    const unit = systemdUnit(plan, { user: null });
    for (const address of [null, '3000', '[::1]:3000', '192.0.2.7:3000', '/run/web/100% app.sock', '@web']) {
      const service = writeUnit(unit);
      const socket = service.replace(/service$/, 'socket');
      writeFileSync(socket, socketUnit(plan, address).unit);
      const verdict = spawnSync('systemd-analyze', ['verify', socket, service], { encoding: 'utf8' });
      if (verdict.error !== undefined) this.skip();
      expect(verdict.stderr + verdict.stdout).to.not.match(/web\.s/);
      expect(verdict.status, address ?? '').to.equal(0);
    }
  });

  it('lets systemd listen where the app does: on its PORT and HOST, or on the address that is given', async () => {
    const listens = async (app: Record<string, unknown>, given: string | null = null): Promise<string[]> =>
      linesOf(socketUnit(await planOf(app), given).unit, 'ListenStream');
    const at = (PORT: unknown, HOST?: string): Promise<string[]> => listens({ env: { PORT, HOST } });
    expect(await at(3000)).to.deep.equal(['127.0.0.1:3000']);
    expect(await at(3000, '0.0.0.0')).to.deep.equal(['0.0.0.0:3000']);
    expect(await at(80, '::')).to.deep.equal(['[::]:80']);
    expect(await at('/run/100%.sock')).to.deep.equal(['/run/100%%.sock']);
    expect(await listens({ increment_var: 'PORT', instances: 2 })).to.deep.equal(['127.0.0.1:3000', '127.0.0.1:3001']);
    expect(await listens({}, '8080')).to.deep.equal(['8080']);
    const unit = async (PORT: unknown, HOST?: string): Promise<string> =>
      socketUnit(await planOf({ env: { PORT, HOST } }), null).unit;
    expect(linesOf(await unit(3000, '192.0.2.7'), 'FreeBind')).to.deep.equal(['yes']);
    for (const here of ['127.0.0.1', '::']) expect(linesOf(await unit(3000, here), 'FreeBind')).to.deep.equal([]);
    expect(linesOf(await unit(3000), 'WantedBy')).to.deep.equal(['sockets.target']);
    expect(await unit('/run/web.sock')).to.include('SocketMode=');
    expect(socketUnit(await planOf(), null).isAssumed).to.equal(true);
    for (const known of [await planOf({ env: { PORT: 1, HOST: '::' } }), await planOf({ env: { PORT: '/run/a' } })])
      expect(socketUnit(known, null).isAssumed).to.equal(false);
  });

  it('makes no socket unit on which systemd could not listen, or that the app could not use', async () => {
    const why = async (app: Record<string, unknown>, given: string | null = null): Promise<string> => {
      const plan = await planOf(app);
      try {
        return socketUnit(plan, given).unit;
      } catch (error) {
        expect(error).to.have.property('code', 'bad-usage');
        return (error as Error).message;
      }
    };
    expect(await why({ env: {} })).to.match(/has no PORT.*--socket 127\.0\.0\.1:3000/);
    expect(await why({ env: { PORT: 3000, HOST: 'localhost' } })).to.match(/HOST is localhost.*IP addresses only/);
    expect(await why({ quiesce: { scheduling: 'rr' } })).to.match(/Use scheduling: 'os'/);
    expect(await why({ env: { PORT: 0 } })).to.match(/cannot listen on 127\.0\.0\.1:0/);
    for (const wrong of [
      '',
      '0',
      '70000',
      'app.js',
      'localhost:3000',
      '1.2.3:80',
      '[::1]',
      '::1:80',
      '/run/a\nExecStart=x',
    ])
      expect(await why({}, wrong), wrong).to.include(`systemd cannot listen on ${wrong}. --socket takes a port`);
  });

  it('makes a unit whose exposure systemd rates as low', async function () {
    const unit = systemdUnit(await planOf(), { user: null });
    const verdict = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', writeUnit(unit)], {
      encoding: 'utf8',
    });
    if (verdict.error !== undefined) this.skip();
    expect(verdict.status, verdict.stdout.split('\n').at(-2)).to.equal(0);
  });

  it('quotes what a unit would read otherwise', async () => {
    const plan = await planOf({}, { file: '/srv/100% "real" $HOME\\x/ecosystem.config.js' });
    expect(linesOf(systemdUnit(plan, { user: 'web' }), 'ExecStart')[0]).to.match(
      / start "\/srv\/100%% \\"real\\" \$\$HOME\\\\x\/ecosystem\.config\.js"$/,
    );
  });

  it('gives a unit its user, its time to stop, and only what it needs', async () => {
    const plain = systemdUnit(await planOf(), { user: 'web' });
    expect(linesOf(plain, 'User')).to.deep.equal(['web']);
    expect(linesOf(plain, 'TimeoutStopSec')).to.deep.equal(['37']);
    expect(linesOf(plain, 'AmbientCapabilities')).to.deep.equal(['']);
    const low = systemdUnit(await planOf({ env: { PORT: 80 } }), { user: null });
    expect(linesOf(low, 'DynamicUser')).to.deep.equal(['yes']);
    expect(linesOf(low, 'AmbientCapabilities')).to.deep.equal(['CAP_NET_BIND_SERVICE']);
  });

  it('makes a unit of the name of a folder, and not of the release that it points to', () => {
    const root = realpathSync(scratch({ 'releases/1/app.js': '', 'releases/1/package.json': '{}' }));
    const current = path.join(root, 'current');
    symlinkSync('releases/1', current);
    const config = JSON.stringify({ apps: [{ name: 'web', script: 'app.js' }] });
    writeFileSync(path.join(current, 'ecosystem.config.json'), config);
    const env = { ...process.env, PWD: current };
    for (const file of [[], ['ecosystem.config.json'], ['app.js']]) {
      const args = [main, 'startup', 'systemd', ...file];
      const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: current, env, encoding: 'utf8' });
      expect(linesOf(stdout, 'WorkingDirectory'), stderr).to.deep.equal([current]);
      const [started] = linesOf(stdout, 'ExecStart');
      expect(started?.endsWith(` start ${path.join(current, file[0] ?? 'ecosystem.config.json')}`), started).to.equal(
        true,
      );
      expect(stdout).not.to.include(path.join(root, 'releases'));
    }
  });

  it('gives a unit and an image the data directory that was asked for', async () => {
    const plan = await planOf({}, { dataDir: '/srv/my data' });
    const unit = systemdUnit(plan, { user: 'web' });
    expect(linesOf(unit, 'Environment')).to.include('"QUIESCE_DATA_DIR=/srv/my data"');
    expect(linesOf(unit, 'ExecReload')[0]).to.match(/ reload --data-dir "\/srv\/my data"$/);
    expect(linesOf(unit, 'ReadWritePaths')).to.deep.equal(['"/srv/my data"']);
    expect(linesOf(unit, 'StateDirectory')).to.deep.equal([]);
    expect(() => systemdUnit(plan, { user: null })).to.throw(/Name the user who owns \/srv\/my data with --user/);
    const image = dockerfile({ ...plan, dataDir: '/data' });
    expect(image).to.match(/^ENV .* QUIESCE_DATA_DIR=\/data$/m);
    expect(image).to.match(/^VOLUME \/data$/m);
  });

  it('makes a configuration that PM2 reads, in its fork mode and with time to stop', async () => {
    const plan = await planOf({}, { several: true, envName: 'production' });
    const module = { exports: {} as { apps: Record<string, unknown>[] } };
    vm.runInNewContext(pm2Config(plan), { module });
    expect(module.exports.apps[0]).to.include({
      exec_mode: 'fork',
      instances: 1,
      wait_ready: true,
      treekill: false,
      kill_timeout: 36_600,
    });
    expect([...(module.exports.apps[0]!['args'] as string[])]).to.deep.equal([
      'start',
      plan.file,
      '--only',
      'web',
      '--env',
      'production',
    ]);
  });

  it('makes a Dockerfile of paths inside the image', async () => {
    const text = dockerfile(await planOf());
    expect(text).to.include('EXPOSE 3000\n');
    expect(text).to.include('ENTRYPOINT ["tini", "--"]\n');
    expect(text.trimEnd().split('\n').at(-1)).to.equal(
      'CMD ["node", "node_modules/quiesce/dist/cli/main.js", "start", "conf/ecosystem.config.json"]',
    );
    const outside = await planOf({ script: scratch({ 'app.js': '' }) + '/app.js' });
    expect(() => dockerfile(outside)).to.throw(/would not be in the image/);
  });

  function writeUnit(unit: string): string {
    const file = path.join(scratch(), 'web.service');
    writeFileSync(file, unit);
    return file;
  }
});
