import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { freePort } from '../../../dev/free-port.ts';
import { ControlClient } from '#quiesce/cli/control-client.js';
import { dataPlace } from '#quiesce/config/data-place.js';
import { scratchFolders } from '../../unit/scratch.ts';
import { quiesce } from '../harness/commands/command.ts';
import { until } from '../harness/until.ts';

const command = fileURLToPath(import.meta.resolve('#quiesce/cli/main.js'));
const app = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));

describe('several apps in one file', function () {
  this.timeout(120_000);
  // Before the folders are removed.
  const launchers: Launcher[] = [];
  afterEach('launchers ended', async function () {
    if (this.currentTest?.state === 'failed') for (const { output } of launchers) console.error(output);
    await Promise.all(launchers.splice(0).map((launcher) => launcher.end()));
  });
  const scratch = scratchFolders();

  class Launcher {
    readonly folder: string;
    readonly child: ChildProcess;
    readonly exited: Promise<unknown[]>;
    readonly control: Record<string, ControlClient>;
    output = '';

    constructor(folder: string, names: readonly string[]) {
      this.folder = folder;
      const { PORT: _port, QUIESCE_DATA_DIR: _dir, ...env } = process.env;
      this.child = spawn(process.execPath, [command, 'start'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [this.child.stdout, this.child.stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
      }
      this.exited = once(this.child, 'exit');
      this.control = Object.fromEntries(
        names.map((name) => [name, new ControlClient(dataPlace(name, folder, process.env).dataDir)]),
      );
    }

    async pid(name: string): Promise<number | undefined> {
      return this.control[name]?.status().then(
        ({ pid, workers }) =>
          workers.length > 0 && workers.every(({ state }) => state === 'serving') ? pid : undefined,
        () => undefined,
      );
    }

    serving(name: string, other?: number): Promise<number> {
      return until(
        `${name} serves`,
        async () => {
          const pid = await this.pid(name);
          return pid === other ? undefined : pid;
        },
        { within: 60_000 },
      );
    }

    /** Not as soon as its socket is silent: its log and its records are written to the end, then the lock is released. */
    gone(name: string): Promise<boolean> {
      return until(`${name} is gone`, () => !existsSync(path.join(this.control[name]!.dataDir, 'primary.lock')), {
        within: 60_000,
      });
    }

    async end(): Promise<void> {
      if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
      await this.exited;
      await Promise.all(Object.keys(this.control).map((name) => this.gone(name)));
    }
  }

  async function launch(broken?: string): Promise<Launcher> {
    const names = ['web', 'api'];
    const apps = await Promise.all(
      names.map(async (name) => ({
        name,
        script: app,
        env: { PORT: await freePort(), WHO: name, ...(name === broken ? { BROKEN: 1 } : {}) },
        quiesce: { admin: false },
      })),
    );
    const launcher = new Launcher(scratch({ 'ecosystem.config.json': JSON.stringify({ apps }) }), names);
    launchers.push(launcher);
    return launcher;
  }

  it('run each under a primary of its own, on the port of its own, and end with a signal', async () => {
    const launcher = await launch();
    const pids = await Promise.all([launcher.serving('web'), launcher.serving('api')]);
    expect(new Set(pids).size).to.equal(2);
    const answers = await Promise.all(
      ['web', 'api'].map(async (name) => {
        const [url] = await launcher.control[name]!.urls();
        return (await fetch(url!)).text();
      }),
    );
    expect(answers).to.deep.equal(['web', 'api']);
    launcher.child.kill('SIGINT');
    expect(await launcher.exited).to.deep.equal([0, null]);
    await Promise.all([launcher.gone('web'), launcher.gone('api')]);
  });

  it('one that is killed comes back, and the other does not notice; both are replaced', async () => {
    const launcher = await launch();
    const [web, api] = await Promise.all([launcher.serving('web'), launcher.serving('api')]);
    process.kill(api, 'SIGKILL');
    expect(await launcher.serving('api', api)).to.not.equal(api);
    expect(await launcher.serving('web')).to.equal(web);
    expect(launcher.output).to.include('the primary of api ended with SIGKILL and is started again at once');
    const formers = [web, await launcher.serving('api')];
    const { code, out, err } = await quiesce(['reload', '--primary'], { cwd: launcher.folder, within: 90_000 });
    expect(code, err).to.equal(0);
    const now = [await launcher.serving('web', web), await launcher.serving('api', formers[1])];
    const lines = now.map((pid, index) => `replaced the primary: pid ${formers[index]} → ${pid}\n`);
    expect(out).to.equal(lines.join(''));
  });

  it('are reloaded one after another; one that is stopped stays stopped, and with the last of them the launcher ends', async () => {
    const launcher = await launch();
    const [web] = await Promise.all([launcher.serving('web'), launcher.serving('api')]);
    const reload = (): ReturnType<typeof quiesce> => quiesce(['reload'], { cwd: launcher.folder });
    const reloaded = await reload();
    expect([reloaded.code, reloaded.out], reloaded.err).to.deep.equal([0, 'reloaded 1 worker\nreloaded 1 worker\n']);
    expect(reloaded.err).to.match(/^web \(1 of 2 apps\)$[^]*^api \(2 of 2 apps\)$/m);
    const file = path.join(launcher.folder, 'ecosystem.config.json');
    const config = await readFile(file, 'utf8');
    await writeFile(file, config.replace('"WHO":"web"', '"BROKEN":1'));
    const failed = await reload();
    expect([failed.code, failed.out], failed.err).to.deep.equal([4, '']);
    expect(failed.err).to.include('web failed, so these were not reloaded: api');

    await launcher.control['api']!.stop(false);
    await launcher.gone('api');
    expect(await launcher.serving('web')).to.equal(web);
    await launcher.control['web']!.stop(false);
    expect(await launcher.exited).to.deep.equal([0, null]);
  });

  it('one that cannot boot fails the start of all, with its exit code', async () => {
    const launcher = await launch('api');
    expect(await launcher.exited).to.deep.equal([4, null]);
    expect(launcher.output).to.include('this build is broken').and.include('api did not start (exit code 4)');
    await Promise.all([launcher.gone('web'), launcher.gone('api')]);
  });

  it('end when the launcher is killed', async () => {
    const launcher = await launch();
    await Promise.all([launcher.serving('web'), launcher.serving('api')]);
    launcher.child.kill('SIGKILL');
    await Promise.all([launcher.gone('web'), launcher.gone('api')]);
  });
});
