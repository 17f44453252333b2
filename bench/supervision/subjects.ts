/** The supervisors that are compared, each with the same app and as many workers. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startCluster, type Cluster } from '../../dev/cluster/cluster.ts';
import { freePort } from '../../dev/free-port.ts';
import { startPm2 } from './pm2.ts';

export const instances = 2;
export const app = fileURLToPath(new URL('./app.js', import.meta.url));
const command = fileURLToPath(import.meta.resolve('#quiesce/cli/main.js'));
const plainPrimary = fileURLToPath(new URL('./plain-primary.js', import.meta.url));

export interface Booted {
  readonly pid: number;
  readonly at: number;
  readonly boot: number;
}

export interface Running {
  readonly url: string;
  readonly primary: number;
  /** The workers that have listened, the newest last, with the time (`Date.now()`) each did, and what it took to boot, ms. */
  booted(): Booted[];
  reload?(): Promise<void>;
  scale?(count: number): Promise<void>;
  /** Sets CHANGE of the workers in the configuration, and gives the command that takes it from there. */
  change?(value: string): Promise<void>;
  /** Gives the command that replaces the supervising process. */
  replace?(): Promise<void>;
  /** All that its workers printed, as far as the supervisor kept it. */
  log(): string;
  stop(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  start(env?: Readonly<Record<string, string>>): Promise<Running>;
}

/** @param keeper whether it runs as `quiesce start` does by default; `primary` is the keeper then */
export function quiesce(
  name: string,
  scheduling: 'os' | 'rr',
  more: Readonly<Record<string, string>> = {},
  keeper = false,
): Subject {
  return {
    name,
    async start(env = {}) {
      const ready = await readyFile();
      const cluster = await startCluster({
        script: app,
        instances,
        env: { ...more, ...env, READY_FILE: ready.file },
        quiesce: { scheduling },
        keeper,
      });
      return {
        url: cluster.url,
        primary: cluster.pid,
        booted: ready.booted,
        reload: async () => void (await cluster.control.reload()),
        scale: async (count) => void (await cluster.control.scale(count)),
        change: async (value) => {
          await setChange(cluster.configFile, value);
          await order(cluster, 'reload');
        },
        replace: () => order(cluster, 'reload', '--primary'),
        log: () => cluster.output,
        stop: async () => {
          await cluster.stop();
          await cluster.close();
          await ready.remove();
        },
      };
    },
  };
}

export function plainCluster(name: string, scheduling: 'os' | 'rr'): Subject {
  return {
    name,
    async start(env = {}) {
      const port = await freePort();
      const ready = await readyFile();
      const child = spawn(process.execPath, [plainPrimary, app, String(instances)], {
        env: {
          ...process.env,
          ...env,
          PORT: String(port),
          RR: scheduling === 'rr' ? '1' : '0',
          READY_FILE: ready.file,
        },
        stdio: 'ignore',
      });
      await ready.count(instances);
      return {
        url: `http://127.0.0.1:${port}`,
        primary: child.pid!,
        booted: ready.booted,
        log: () => '',
        stop: async () => {
          child.kill('SIGKILL'); // its workers follow
          await once(child, 'exit');
          await ready.remove();
        },
      };
    },
  };
}

export function pm2(name: string, more: Readonly<Record<string, string>> = {}): Subject {
  return {
    name,
    async start(env = {}) {
      const port = await freePort();
      const ready = await readyFile();
      const daemon = await startPm2(app, instances, { ...more, ...env, PORT: String(port), READY_FILE: ready.file });
      await ready.count(instances);
      return {
        url: `http://127.0.0.1:${port}`,
        primary: daemon.pid,
        booted: ready.booted,
        reload: () => daemon.run('reload', 'app'),
        scale: (count) => daemon.run('scale', 'app', String(count)),
        change: async (value) => {
          await setChange(daemon.config, value);
          await daemon.run('reload', daemon.config, '--update-env');
        },
        replace: () => daemon.run('update'),
        log: () => daemon.log(),
        stop: async () => {
          await daemon.stop();
          await ready.remove();
        },
      };
    },
  };
}

async function setChange(file: string, value: string): Promise<void> {
  const config = JSON.parse(await readFile(file, 'utf8')) as { apps: [{ env: Record<string, string> }] };
  config.apps[0].env['CHANGE'] = value;
  await writeFile(file, JSON.stringify(config));
}

async function order({ dataDir, folder }: Cluster, ...args: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [command, ...args, '--data-dir', dataDir], { cwd: folder });
}

async function readyFile(): Promise<{
  file: string;
  booted: Running['booted'];
  count(wanted: number): Promise<void>;
  remove(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'quiesce-bench-'));
  const file = join(folder, 'ready');
  const booted = (): Booted[] =>
    (existsSync(file) ? readFileSync(file, 'utf8') : '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [at = 0, pid = 0, boot = 0] = line.split(' ').map(Number);
        return { at, pid, boot };
      });
  return {
    file,
    booted,
    async count(wanted) {
      for (const deadline = Date.now() + 20_000; booted().length < wanted;) {
        if (Date.now() > deadline) throw new Error(`only ${booted().length} of ${wanted} workers listen`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
