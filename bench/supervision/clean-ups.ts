/**
 * How long processes live after the clean-up of well-known packages: plain Node (one process, SIGTERM) beside PM2 and
 * quiesce (two workers, a reload and a stop), with keep-alive connections that send requests meanwhile.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startCluster } from '../../dev/cluster/cluster.ts';
import { freePort } from '../../dev/free-port.ts';
import { Load } from '../../dev/load/load.ts';
import { publish, table } from '../report.ts';
import { startPm2 } from './pm2.ts';
import { childrenOf } from './processor.ts';

const exec = promisify(execFile);
const source = fileURLToPath(new URL('../../../bench/supervision/clean-ups', import.meta.url));
/** Kept from one bench to the next. */
const home = join(tmpdir(), 'quiesce-bench-clean-ups');
const killTimeout = 10_000;

const apps = [
  ['terminus', 'terminus', '@godaddy/terminus'],
  ['NestJS, shutdown hooks', 'nest', '@nestjs/core'],
  ['Apollo Server, drain plugin', 'apollo', '@apollo/server'],
  ['http-terminator, without an exit', 'http-terminator', 'http-terminator'],
  ['http-graceful-shutdown', 'http-graceful-shutdown', 'http-graceful-shutdown'],
  ['Feathers, `app.teardown()`', 'feathers', '@feathersjs/feathers'],
  ['Next.js, a custom server', 'next', 'next'],
  ['Verdaccio', 'verdaccio', 'verdaccio'],
  ['signal-exit 3', 'signal-exit-3', 'signal-exit-3'],
  ['signal-exit 4', 'signal-exit-4', 'signal-exit-4'],
  ["the handler of Express' documentation, without an exit", 'express', 'express'],
] as const;

interface Running {
  /** Of the processes that run the app now. */
  pids(): Promise<number[]>;
  /** Absent: the supervisor is none. */
  reload?(): Promise<void>;
  stop(): Promise<void>;
  /** How processes ended, as the supervisor tells. */
  ends?(): string[];
}

interface Environment {
  readonly script: string;
  readonly port: number;
  readonly marks: string;
}

type Start = (environment: Environment) => Promise<Running>;

async function plainNode({ script, port, marks }: Environment): Promise<Running> {
  const child = spawn(process.execPath, [script], { env: environment(port, marks), stdio: 'ignore' });
  return {
    pids: async () => [child.pid!],
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      if ((await Promise.race([exited, delay(killTimeout, null)])) === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

async function underPm2({ script, port, marks }: Environment): Promise<Running> {
  const daemon = await startPm2(script, 2, { PORT: String(port), MARKS: marks }, { kill_timeout: killTimeout });
  return {
    pids: async () => childrenOf(daemon.pid),
    reload: () => daemon.run('reload', 'app'),
    async stop() {
      await daemon.run('stop', 'app');
      await daemon.stop();
    },
  };
}

async function underQuiesce({ script, port, marks }: Environment): Promise<Running> {
  const cluster = await startCluster({
    script,
    env: { PORT: String(port), MARKS: marks },
    app: { kill_timeout: killTimeout },
  });
  return {
    pids: async () => (await cluster.status()).workers.map(({ pid }) => pid!),
    reload: async () => void (await cluster.control.reload()),
    async stop() {
      await cluster.stop();
      await cluster.close();
    },
    ends: () => [...cluster.output.matchAll(/worker \d+\.\d+ ended with (code \d+|SIG\w+)/g)].map(([, end]) => end!),
  };
}

function environment(port: number, marks: string): NodeJS.ProcessEnv {
  return { ...process.env, PORT: String(port), HOST: '127.0.0.1', MARKS: marks };
}

function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

async function endOf(pid: number): Promise<number> {
  while (isRunning(pid)) await delay(2);
  return Date.now();
}

async function answers(port: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await delay(50)) {
    const reply = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    await reply?.arrayBuffer();
    if (reply !== null) return;
  }
  throw new Error('the app does not answer');
}

/** The longest time between a mark and the end of its process, ms; `null` for a process without a mark. */
async function measure(start: Start, script: string): Promise<{ after: (number | null)[]; ends: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'quiesce-bench-marks-'));
  const marks = join(folder, 'marks');
  const port = await freePort();
  const running = await start({ script, port, marks });
  try {
    await answers(port);
    const load = new Load({ url: `http://127.0.0.1:${port}`, connections: 4, timeout: 1_000, pause: 20 });
    await delay(500);
    const first = await running.pids();
    const ended = first.map(async (pid) => ({ pid, at: await endOf(pid) }));
    if (running.reload !== undefined) {
      await running.reload();
      await Promise.all(ended);
      await delay(500);
      for (const pid of await running.pids()) ended.push(endOf(pid).then((at) => ({ pid, at })));
    }
    await running.stop();
    const all = await Promise.all(ended);
    await load.stop();
    const marked = new Map(
      (existsSync(marks) ? readFileSync(marks, 'utf8') : '').split('\n').map((line) => {
        const [pid, at] = line.split(' ').map(Number);
        return [pid, at];
      }),
    );
    const after = all.map(({ pid, at }) => {
      const mark = marked.get(pid);
      return mark === undefined ? null : Math.max(0, at - mark);
    });
    return { after, ends: [...new Set(running.ends?.() ?? [])] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function shown(after: readonly (number | null)[]): string {
  const unmarked = after.filter((each) => each === null).length;
  const longest = Math.max(...after.map((each) => each ?? 0));
  const figure = longest > killTimeout - 500 ? `${longest.toLocaleString('en')}: killed` : longest.toLocaleString('en');
  if (unmarked === 0) return figure;
  return unmarked === after.length ? 'no mark' : `${figure}; ${unmarked} of ${after.length} without a mark`;
}

async function install(): Promise<void> {
  cpSync(source, home, { recursive: true });
  if (existsSync(join(home, 'node_modules', 'next'))) return;
  await exec('npm', ['install', '--no-audit', '--no-fund'], { cwd: home });
}

function versionOf(name: string): string {
  return (JSON.parse(readFileSync(join(home, 'node_modules', name, 'package.json'), 'utf8')) as { version: string })
    .version;
}

await install();
if (!existsSync(join(home, '.next', 'BUILD_ID'))) await exec('npx', ['next', 'build'], { cwd: home });
const wanted = process.argv.slice(2);
const rows: string[][] = [];
for (const [name, file, packageName] of apps) {
  if (wanted.length > 0 && !wanted.includes(file)) continue;
  const script = join(home, `${file}.mjs`);
  const cells: string[] = [];
  let ends: string[] = [];
  for (const start of [plainNode, underPm2, underQuiesce]) {
    const found = await measure(start, script);
    cells.push(shown(found.after));
    ends = found.ends;
  }
  rows.push([`${name} (${versionOf(packageName)})`, ...cells, ends.join(', ')]);
  console.log(rows.at(-1)!.join(' | '));
}
const body = table(['app', 'plain Node', 'PM2', 'quiesce', 'ends here with'], rows);
if (wanted.length === 0) await publish('clean-ups', body);
