/**
 * A real MongoDB for development, tests, benches and the demo: a replica set of one, found, downloaded or installed
 * (see find.ts), which never outlives the process that asked for it (see guardian.ts).
 */
import { mkdir, mkdtemp, readFile, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { findMongod, toStderr, type FoundMongod } from './find.ts';
import { GuardedMongod } from './guarded.ts';
import { livingOwner, recordFile, sweepOrphans, writeRecord } from './records.ts';
import { becomePrimary, replicaSet, shutDown } from './replica-set.ts';
import { lastLines } from './run-command.ts';

export interface MongoOptions {
  /** Kept, and used again by the next start. Default: a temporary folder that goes with the server. */
  readonly dataDir?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Of WiredTiger. Default: 1. */
  readonly cacheGb?: number;
  /** Further arguments of mongod. */
  readonly args?: readonly string[];
  /** Takes one line of progress at a time. Default: standard error. */
  readonly log?: (line: string) => void;
}

export interface DevMongo {
  /** The connection string, without a database. */
  readonly uri: string;
  /** `env`: MONGODB_URI names it and nothing was started. */
  readonly source: 'env' | FoundMongod['source'];
  /** Null where nothing was started, or while it is down. */
  readonly pid: number | null;
  /** An orderly end; the data is thrown away unless it is to be kept. */
  stop(): Promise<void>;
  /** SIGKILL, as in a crash. Resolves when the process is gone; the data stays for {@link DevMongo.restart}. */
  kill(): Promise<void>;
  /** Ends it if it runs, and starts it on the same port and data. Resolves when it takes writes. */
  restart(): Promise<void>;
}

const startTimeout = 60_000;
const stopTimeout = 10_000;

/** Resolves when the server takes writes. Rejects with what to set where no MongoDB can be had. */
export async function startMongo(options: MongoOptions = {}): Promise<DevMongo> {
  const uri = process.env['MONGODB_URI'];
  if (uri) return external(uri);
  const log = options.log ?? toStderr;
  await sweepOrphans(log);
  const kept = options.dataDir === undefined ? undefined : await openKept(options.dataDir);
  const found = await findMongod(log);
  const server = new Server(found, options, kept ?? (await openTemporary()));
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

function external(uri: string): DevMongo {
  const refuse = async (): Promise<never> => {
    throw new Error('MONGODB_URI names a server that is not ours to end; unset it for this');
  };
  return { uri, source: 'env', pid: null, stop: async () => {}, kill: refuse, restart: refuse };
}

interface Folder {
  readonly path: string;
  readonly kept: boolean;
}

async function openTemporary(): Promise<Folder> {
  return { path: await mkdtemp(join(await realpath(tmpdir()), 'quiesce-mongodb-')), kept: false };
}

async function openKept(dataDir: string): Promise<Folder> {
  await mkdir(resolve(dataDir), { recursive: true, mode: 0o700 });
  const path = await realpath(resolve(dataDir));
  const owner = await livingOwner(join(path, 'db'));
  if (owner === undefined) return { path, kept: true };
  throw new Error(`The MongoDB in ${path} is already run by process ${owner}. End that one, or set MONGODB_URI.`);
}

class Server implements DevMongo {
  readonly source: FoundMongod['source'];
  readonly #found: FoundMongod;
  readonly #options: MongoOptions;
  readonly #folder: Folder;
  readonly #mongod = new GuardedMongod();
  #port = 0;

  constructor(found: FoundMongod, options: MongoOptions, folder: Folder) {
    this.source = found.source;
    this.#found = found;
    this.#options = options;
    this.#folder = folder;
  }

  get uri(): string {
    return `mongodb://127.0.0.1:${this.#port}/?replicaSet=${replicaSet}`;
  }

  get pid(): number | null {
    return this.#mongod.pid;
  }

  get #dbPath(): string {
    return join(this.#folder.path, 'db');
  }

  get #logFile(): string {
    return join(this.#folder.path, 'mongod.log');
  }

  async start(): Promise<void> {
    await mkdir(this.#dbPath, { recursive: true });
    await writeRecord(this.#dbPath, this.#folder.kept ? null : this.#folder.path);
    for (let attempt = 1; ; attempt += 1) {
      this.#port = this.#options.port ?? (await freePort());
      try {
        return await this.#launch();
      } catch (error) {
        // Somebody else may have taken the port since it was found free.
        const taken = /address already in use|SocketException/i.test(await this.#log());
        if (this.#options.port !== undefined || !taken || attempt === 3) throw error;
      }
    }
  }

  async #launch(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#launchOnce();
      } catch (error) {
        // Wine's server ends with its last process; one that starts in that very moment is hung up on.
        const hungUp = this.source === 'wine' && (await this.#log()).includes('wine client error');
        if (!hungUp || attempt === 3) throw error;
      }
    }
  }

  async #launchOnce(): Promise<void> {
    const args = ['--port', String(this.#port), '--dbpath', this.#dbPath, '--replSet', replicaSet];
    // Half of the memory and 5 % of the disk, the defaults, are too much for several at once on one machine.
    args.push('--bind_ip', '127.0.0.1', '--quiet', '--oplogSize', '2048');
    args.push('--wiredTigerCacheSizeGB', String(this.#options.cacheGb ?? 1));
    await this.#mongod.start({
      command: this.#found.command,
      args: [...args, ...(this.#options.args ?? [])],
      logFile: this.#logFile,
      record: recordFile(this.#dbPath),
      throwAway: this.#folder.kept ? null : this.#folder.path,
    });
    const pid = this.#mongod.pid;
    const assertRunning = (): void => {
      if (this.#mongod.pid !== pid) throw new Error(`mongod ended (${this.#mongod.ending})`);
    };
    try {
      await becomePrimary({ port: this.#port, assertRunning, timeout: startTimeout });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`${message}. Its log ends:\n${lastLines(await this.#log(), 5)}`, { cause: error });
    }
  }

  async stop(): Promise<void> {
    // What is thrown away needs no flush.
    if (this.#folder.kept) await this.#shutDown();
    await this.#mongod.close();
  }

  async #shutDown(): Promise<void> {
    if (this.#mongod.pid === null) return;
    await shutDown(this.#port);
    await Promise.race([this.#mongod.ended(), delay(stopTimeout, undefined, { ref: false })]);
  }

  async kill(): Promise<void> {
    this.#mongod.kill();
    await this.#mongod.ended();
  }

  async restart(): Promise<void> {
    await this.#shutDown();
    await this.kill();
    await this.#launch();
  }

  async #log(): Promise<string> {
    return readFile(this.#logFile, 'utf8').catch(() => '');
  }
}
