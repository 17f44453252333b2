/** Several hosts of one cluster on this machine: each a `quiesce start` of its own, with fixtures/clock-app.ts. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { Cluster, type ClusterOptions } from '../../../../dev/cluster/cluster.ts';
import { MongoProxy } from '../mongodb/mongo-proxy.ts';
import { until } from '../until.ts';

const witnessApp = fileURLToPath(new URL('../../fixtures/clock-app.js', import.meta.url));

export interface HostsOptions {
  readonly uri: string;
  readonly db: string;
  /** Where all of them note when their handlers are at work. */
  readonly witness: string;
  readonly instances?: number;
  /** Of `quiesce.cluster`; null for hosts that are alone. */
  readonly cluster?: Readonly<Record<string, unknown>> | null;
  readonly quiesce?: Readonly<Record<string, unknown>>;
  /** Further fields of the app. */
  readonly app?: Readonly<Record<string, unknown>>;
  /** Other versions of quiesce, by the name of the host. */
  readonly installed?: Readonly<Record<string, Pick<ClusterOptions, 'command' | 'script'>>>;
  /** Each host reaches MongoDB by a proxy of its own. */
  readonly proxied?: boolean;
  /** Each under a keeper. */
  readonly keeper?: boolean;
}

export class Host {
  readonly name: string;
  readonly cluster: Cluster;
  readonly #proxy: MongoProxy | null;

  constructor(name: string, cluster: Cluster, proxy: MongoProxy | null) {
    this.name = name;
    this.cluster = cluster;
    this.#proxy = proxy;
  }

  /** Its way to MongoDB. */
  get proxy(): MongoProxy {
    if (this.#proxy === null) throw new Error(`host ${this.name} has no proxy`);
    return this.#proxy;
  }

  /** The status of the answer; 0 where there was none. */
  async ask(path: string, method = 'GET', within = 30_000): Promise<number> {
    const signal = AbortSignal.timeout(within);
    const headers = { Connection: 'close' };
    const answer = await fetch(this.cluster.url + path, { method, headers, signal }).catch(() => null);
    await answer?.text().catch(() => '');
    return answer?.status ?? 0;
  }

  /** Sends a feed; the status of the answer, 0 where there was none. */
  async put(items: readonly object[]): Promise<number> {
    const headers = { 'Content-Type': 'application/json', Connection: 'close' };
    const signal = AbortSignal.timeout(60_000);
    const sent = { method: 'PUT', headers, body: JSON.stringify(items), signal };
    const answer = await fetch(`${this.cluster.url}/api/sync`, sent).catch(() => null);
    await answer?.text().catch(() => '');
    return answer?.status ?? 0;
  }

  async serves(within = 60_000): Promise<void> {
    const isOpen = ({ phase, workers }: ClusterStatus): boolean =>
      phase === 'serving' && workers.every(({ state }) => state === 'serving');
    await this.cluster.until(`host ${this.name} serves`, isOpen, within);
  }

  /** An exclusive run, asked for again and again until it has run: all hosts that count have been at rest for it. */
  async runsAlone(within = 20_000): Promise<void> {
    const ask = async (): Promise<boolean> => (await this.ask('/alone', 'POST')) === 200;
    await until(`an exclusive run of host ${this.name}`, ask, { within, every: 50 });
  }

  /** The primary and its workers. */
  async pids(): Promise<number[]> {
    const { workers } = await this.cluster.status();
    return [this.cluster.pid, ...workers.flatMap(({ pid }) => pid ?? [])];
  }

  async close(): Promise<void> {
    await this.cluster.close();
    await this.#proxy?.close();
  }
}

/** Nothing runs yet. */
export function createHosts(names: readonly string[], options: HostsOptions): Promise<Host[]> {
  return Promise.all(names.map((name) => create(name, options)));
}

/** All of them serve. */
export async function startHosts(names: readonly string[], options: HostsOptions): Promise<Host[]> {
  const hosts = await createHosts(names, options);
  try {
    for (const { cluster } of hosts) cluster.launch();
    // They start together, and a machine that tests has two cores.
    await Promise.all(hosts.map(({ cluster }) => cluster.ready(Math.max(90_000, 60_000 * hosts.length))));
    await Promise.all(hosts.map((host) => host.serves()));
  } catch (error) {
    await Promise.all(hosts.map((host) => host.close()));
    throw error;
  }
  return hosts;
}

async function create(name: string, options: HostsOptions): Promise<Host> {
  const {
    uri,
    db,
    witness,
    instances = 2,
    cluster = {},
    quiesce = {},
    app = {},
    installed = {},
    proxied = false,
    keeper,
  } = options;
  const proxy = proxied ? await MongoProxy.start(uri) : null;
  const settings: ClusterOptions = {
    script: witnessApp,
    ...installed[name],
    ...(keeper === undefined ? {} : { keeper }),
    app,
    instances,
    env: { WITNESS: witness, HOST_NAME: name },
    quiesce: {
      mongodb: { uri: proxy?.uri ?? uri, db },
      ...quiesce,
      ...(cluster === null ? {} : { cluster: { name: 'site', ...cluster } }),
    },
  };
  return new Host(name, await Cluster.create(settings), proxy);
}

export function counted(statuses: Map<number, number>, status: number): void {
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
}

/** Asks all hosts all the time; returns how to end that, with the statuses that came. */
export function hammer(hosts: readonly Host[], pace = 3): () => Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  let goesOn = true;
  const asking = hosts.map(async (host) => {
    while (goesOn) {
      counted(statuses, await host.ask('/work'));
      await delay(pace);
    }
  });
  return async () => {
    goesOn = false;
    await Promise.all(asking);
    return statuses;
  };
}
