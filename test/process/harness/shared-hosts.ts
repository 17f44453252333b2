import { Cluster, type ClusterOptions } from '../../../dev/cluster/cluster.ts';
import { MongoProxy } from './mongo-proxy.ts';
import { discard, newDatabase, type TestDatabase } from './mongo.ts';
import { quiesce, type Ended } from './command.ts';

export interface SharedHosts {
  readonly hosts: readonly Cluster[];
  /** By the order of their start: the names that they have for each other. */
  readonly names: readonly string[];
  readonly database: TestDatabase;
  /** Between the last host and MongoDB. */
  readonly proxy: MongoProxy;
  /** A command of `quiesce` for one of them. */
  command(host: number, ...words: readonly string[]): Promise<Ended>;
}

/** In a `describe`: hosts of one cluster for all of its tests, which leave them as they found them. */
export function useSharedHosts(
  count: number,
  options: (host: number) => ClusterOptions,
  cluster: Readonly<Record<string, unknown>> = {},
): SharedHosts {
  const hosts: Cluster[] = [];
  let names: string[] = [];
  let database: TestDatabase | undefined;
  let proxy: MongoProxy | undefined;
  before('hosts', async function () {
    this.timeout(240_000);
    database = await newDatabase();
    proxy = await MongoProxy.start(database.uri);
    for (let host = 0; host < count; host++) {
      const { quiesce: settings, ...rest } = options(host);
      const uri = host === count - 1 ? proxy.uri : database.uri;
      const started = await Cluster.create({
        ...rest,
        quiesce: {
          mongodb: { uri, db: database.name },
          cluster: { name: 'site', lease: '6s', eviction_grace: '1s', ...cluster },
          ...settings,
        },
      });
      hosts.push(started);
      started.launch();
    }
    for (const host of hosts) {
      await host.ready(100_000);
      await host.until('the host has joined', ({ phase }) => phase === 'serving', 30_000);
    }
    names = await Promise.all(
      hosts.map(async (host) => (await host.status()).hosts?.find(({ here }) => here)?.name ?? ''),
    );
  });
  beforeEach('all of them serve', async () => {
    for (const host of hosts) await host.until('the host serves', ({ phase }) => phase === 'serving');
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const { output } of hosts) console.error(output.split('\n').slice(-25).join('\n'));
    for (const { control } of hosts) {
      await control.maintenance({ on: false }).catch(() => undefined);
      await control.maintenance({ on: false, here: true }).catch(() => undefined);
    }
  });
  after('they ended', async function () {
    this.timeout(30_000);
    await Promise.all(hosts.map((host) => host.close()));
    await proxy?.close();
    await discard(database);
  });
  return {
    hosts,
    get names() {
      return names;
    },
    get database() {
      return database!;
    },
    get proxy() {
      return proxy!;
    },
    command: (host, ...words) => {
      const { dataDir, folder } = hosts[host]!;
      const end = words.includes('--') ? words.indexOf('--') : words.length;
      const args = [...words.slice(0, end), '--data-dir', dataDir, ...words.slice(end)];
      return quiesce(args, { cwd: folder });
    },
  };
}
