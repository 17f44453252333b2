/** PM2 7 from npm, in a folder and with a daemon of its own. It is compared, and no dependency. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const version = '7';
/** Kept from one bench to the next. */
const home = join(tmpdir(), `quiesce-bench-pm2-${version}`);

export interface Pm2 {
  /** Of its daemon. */
  readonly pid: number;
  /** The file that it was started with. */
  readonly config: string;
  run(...args: string[]): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

/** @param more further fields of the app in its ecosystem configuration */
export async function startPm2(
  script: string,
  instances: number,
  env: Readonly<Record<string, string>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Pm2> {
  const command = await install();
  const folder = await mkdtemp(join(tmpdir(), 'quiesce-bench-daemon-'));
  const pm2Env = { ...process.env, PM2_HOME: folder };
  const config = join(folder, 'ecosystem.config.json');
  const app = { name: 'app', script, instances, exec_mode: 'cluster', env, ...more };
  await writeFile(config, JSON.stringify({ apps: [app] }));
  const run = async (...args: string[]): Promise<void> => {
    await exec(process.execPath, [command, ...args], { env: pm2Env, maxBuffer: 64 * 1024 * 1024 });
  };
  await run('start', config);
  const logs = join(folder, 'logs');
  return {
    pid: Number(readFileSync(join(folder, 'pm2.pid'), 'utf8')),
    config,
    run,
    log: () =>
      readdirSync(logs)
        .map((name) => readFileSync(join(logs, name), 'utf8'))
        .join(''),
    async stop() {
      await run('kill');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function install(): Promise<string> {
  const command = join(home, 'node_modules', 'pm2', 'bin', 'pm2');
  if (!existsSync(command)) {
    await mkdir(home, { recursive: true });
    await writeFile(join(home, 'package.json'), '{"private":true}');
    await exec('npm', ['install', '--no-audit', '--no-fund', `pm2@${version}`], { cwd: home });
  }
  return command;
}
