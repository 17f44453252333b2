/**
 * A real cluster for tests, benches and the demo: `quiesce start` in a process of its own, on a folder of its own,
 * with a configuration made for it. It ends with the process that started it, at the latest.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '#quiesce/cli/control-client.js';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { freePort } from '../free-port.ts';

const ownCommand = fileURLToPath(import.meta.resolve('#quiesce/cli/main.js'));
const builtInApp = fileURLToPath(import.meta.resolve('#quiesce/worker/main.js'));
const tether = new URL('../tether.js', import.meta.url).href;

export interface ClusterOptions {
  /** An absolute path. Default: the built-in app. */
  readonly script?: string;
  /** The file of the command `quiesce`. Default: that of this version. */
  readonly command?: string;
  /** Default 2. */
  readonly instances?: number;
  /** What the workers get in their environment, beside PORT and HOST. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further fields of the app in its ecosystem configuration. */
  readonly app?: Readonly<Record<string, unknown>>;
  /** Its `quiesce` settings; the admin server gets a free port where this says nothing of it. */
  readonly quiesce?: Readonly<Record<string, unknown>>;
  /** Further arguments of `quiesce start`. */
  readonly args?: readonly string[];
  /** What the primary gets in its environment. */
  readonly primaryEnv?: Readonly<Record<string, string>>;
  /** What the primary is started by: a program and its arguments, to which the command is added. */
  readonly under?: readonly string[];
  /** Under a keeper, which is then the process that `pid`, signals and ends are of. Default: without. */
  readonly keeper?: boolean;
  /** A process group of its own, as under a terminal or a service manager: `-pid` reaches all of it. */
  readonly group?: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The environment without what would configure it beside its file. */
function inherited(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !/^(MONGODB_URI|PORT|QUIESCE_.*)$/.test(name));
  return Object.fromEntries(others);
}

/** A cluster that is ready to serve (or held by an operator). Rejects with its output where it ends before. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await Cluster.create(options);
  try {
    cluster.launch();
    await cluster.ready();
  } catch (error) {
    await cluster.close();
    throw error;
  }
  return cluster;
}

export class Cluster {
  /** Holds the configuration and the data directory; removed by {@link Cluster.close}. */
  readonly folder: string;
  readonly configFile: string;
  readonly dataDir: string;
  readonly port: number;
  readonly url: string;
  readonly control: ControlClient;
  /** All that the primary of the last launch wrote. */
  output = '';
  readonly #options: ClusterOptions;
  readonly #events = new EventEmitter<{ wrote: [] }>();
  #child: ChildProcess | undefined;
  #exited: Promise<Exit> = Promise.resolve({ code: null, signal: null });

  private constructor(folder: string, port: number, options: ClusterOptions) {
    this.folder = folder;
    this.configFile = join(folder, 'ecosystem.config.json');
    this.dataDir = join(folder, 'data');
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.control = new ControlClient(this.dataDir);
    this.#options = options;
  }

  /** Nothing runs yet. */
  static async create(options: ClusterOptions): Promise<Cluster> {
    const folder = await mkdtemp(join(await realpath(tmpdir()), 'quiesce-'));
    const cluster = new Cluster(folder, await freePort(), options);
    await cluster.configure(options.quiesce ?? {});
    return cluster;
  }

  /** Writes the configuration that the next launch reads. */
  async configure(quiesce: Readonly<Record<string, unknown>>): Promise<void> {
    const { script = builtInApp, instances = 2, env = {}, app = {} } = this.#options;
    const config = {
      name: 'app',
      script,
      instances,
      env: { PORT: String(this.port), HOST: '127.0.0.1', ...env },
      ...app,
      quiesce: { admin: { port: 0 }, data_dir: this.dataDir, ...quiesce },
    };
    await writeFile(this.configFile, JSON.stringify({ apps: [config] }));
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the cluster has not been launched');
    return this.#child.pid;
  }

  /** How the primary of the last launch ended. */
  get exited(): Promise<Exit> {
    return this.#exited;
  }

  /** Starts the primary, and waits for nothing. @param passed descriptors that it inherits, from 4 on */
  launch(passed: readonly number[] = []): void {
    const {
      command = ownCommand,
      under = [],
      args: more = [],
      keeper = process.env['QUIESCE_TEST_KEEPER'] === '1',
    } = this.#options;
    const own = keeper ? [] : ['--no-keeper'];
    const start = [process.execPath, '--import', tether, command, 'start', this.configFile, ...own, ...more];
    const [program, ...args] = [...under, ...start];
    const child = spawn(program!, args, {
      cwd: this.folder,
      env: { ...inherited(), NO_COLOR: '1', ...this.#options.primaryEnv },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', ...passed],
      detached: this.#options.group ?? false,
    });
    this.#child = child;
    this.output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#events.emit('wrote');
      });
    }
    this.#exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  status(): Promise<ClusterStatus> {
    return this.control.status();
  }

  /** Resolves when every worker that the configuration asks for has left `starting`. */
  async ready(within = 60_000): Promise<ClusterStatus> {
    const { instances = 2 } = this.#options;
    const settled = ({ workers }: ClusterStatus): boolean =>
      workers.length === instances && workers.every(({ state }) => state === 'serving' || state === 'quiesced');
    return this.until('all workers are ready', settled, within);
  }

  /** Resolves when the status is as wanted. Rejects at the deadline, and as soon as the primary has ended. */
  async until(what: string, wanted: (status: ClusterStatus) => boolean, within = 30_000): Promise<ClusterStatus> {
    let last: unknown;
    const found = await this.#before(what, within, async (signal) => {
      while (!signal.aborted) {
        try {
          for await (const status of this.control.watch(signal)) {
            last = status;
            if (wanted(status)) return status;
          }
        } catch (error) {
          last ??= error;
        }
        await delay(20); // it starts, or ends
      }
      return undefined;
    });
    if (found !== undefined) return found;
    throw new Error(`not within ${within} ms: ${what}\n${JSON.stringify(last)}\n${this.output}`, { cause: last });
  }

  /** Resolves when its output has that: what it wrote before an answer can still be on its way when the answer is there. */
  async said(wanted: RegExp, within = 30_000): Promise<void> {
    const found = await this.#before(String(wanted), within, async (signal) => {
      while (!wanted.test(this.output)) await once(this.#events, 'wrote', { signal });
      return true;
    });
    if (found === undefined) throw new Error(`not within ${within} ms: ${String(wanted)}\n${this.output}`);
  }

  /** What `look` finds before the time is over. Rejects as soon as the primary has ended. */
  async #before<T>(what: string, within: number, look: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), within);
    const found = look(over.signal).catch((error: unknown) => {
      if (over.signal.aborted) return undefined;
      throw error;
    });
    const ended = this.#exited.then(() => {
      throw new Error(`the primary ended before ${what}:\n${this.output}`);
    });
    try {
      return await Promise.race([found, ended]);
    } finally {
      clearTimeout(timer);
      over.abort();
    }
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** SIGKILL to the primary. Resolves when it is gone; its workers follow on their own. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM to the primary; how it ended. */
  async stop(): Promise<Exit> {
    this.#child?.kill('SIGTERM');
    return this.#exited;
  }

  /** Ends it if it still runs, and removes its folder. */
  async close(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child ?? {};
    if (pid !== undefined && exitCode === null && signalCode === null) await this.kill();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
