import type { Cluster } from '../../../../dev/cluster/cluster.ts';
import { quiesce, type Ended } from '../commands/command.ts';
import { startHosts, type Host, type HostsOptions } from './hosts.ts';
import type { MongoProxy } from '../mongodb/mongo-proxy.ts';
import { discard, newDatabase, type TestDatabase } from '../mongodb/mongo.ts';

export interface SharedHosts {
  readonly hosts: readonly Cluster[];
  /** In the order of the hosts: the names that they have for each other. */
  readonly names: readonly string[];
  /** Between the last host and MongoDB. */
  readonly proxy: MongoProxy;
  /** A command of `quiesce` for one of them. */
  command(host: number, ...words: readonly string[]): Promise<Ended>;
}

/** In a `describe`: hosts of one cluster for all of its tests, which leave them as they found them. */
export function useSharedHosts(
  names: readonly string[],
  options: Omit<HostsOptions, 'uri' | 'db' | 'proxied'>,
): SharedHosts {
  let started: Host[] = [];
  let known: string[] = [];
  let database: TestDatabase | undefined;
  const clusters = (): Cluster[] => started.map(({ cluster }) => cluster);
  before('hosts', async function () {
    this.timeout(240_000);
    database = await newDatabase();
    const cluster = { lease: '6s', eviction_grace: '1s', ...options.cluster };
    started = await startHosts(names, { ...options, uri: database.uri, db: database.name, cluster, proxied: true });
    known = await Promise.all(
      clusters().map(async (host) => (await host.status()).hosts?.find(({ here }) => here)?.name ?? ''),
    );
  });
  beforeEach('all of them serve', async () => {
    for (const host of started) await host.serves();
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const { output } of clusters()) console.error(output.split('\n').slice(-25).join('\n'));
    for (const { control } of clusters()) {
      await control.maintenance({ on: false }).catch(() => undefined);
      await control.maintenance({ on: false, here: true }).catch(() => undefined);
    }
  });
  after('they ended', async function () {
    this.timeout(30_000);
    await Promise.all(started.map((host) => host.close()));
    await discard(database);
  });
  return {
    get hosts() {
      return clusters();
    },
    get names() {
      return known;
    },
    get proxy() {
      return started.at(-1)!.proxy;
    },
    command: (host, ...words) => {
      const { dataDir, folder } = clusters()[host]!;
      const end = words.includes('--') ? words.indexOf('--') : words.length;
      const args = [...words.slice(0, end), '--data-dir', dataDir, ...words.slice(end)];
      return quiesce(args, { cwd: folder });
    },
  };
}
