import { startCluster, type Cluster, type ClusterOptions } from '../../../../dev/cluster/cluster.ts';
import { discard, newDatabase, type TestDatabase } from '../mongodb/mongo.ts';

export interface SharedPlainCluster {
  readonly cluster: Cluster;
  /** What it wrote since the test began. */
  readonly output: string;
}

export interface SharedCluster extends SharedPlainCluster {
  readonly database: TestDatabase;
}

/**
 * In a `describe`: one cluster for all of its tests, which therefore leave it as they found it. Each finds a cluster
 * that serves with all of its workers, and the mirrored collection empty.
 */
export function useSharedCluster(
  options: ClusterOptions | ((database: TestDatabase) => ClusterOptions | Promise<ClusterOptions>),
): SharedCluster {
  let database: TestDatabase | undefined;
  const shared = share(async () => {
    database = await newDatabase();
    const { quiesce, ...rest } = typeof options === 'function' ? await options(database) : options;
    return { ...rest, quiesce: { mongodb: { uri: database.uri, db: database.name }, ...quiesce } };
  });
  beforeEach('nothing is mirrored', () => database?.db.collection('resources').deleteMany({}));
  after('its database dropped', () => discard(database));
  return {
    get cluster() {
      return shared.cluster;
    },
    get output() {
      return shared.output;
    },
    get database() {
      return given(database);
    },
  };
}

/** The same without a database, for apps that have none. */
export function useSharedPlainCluster(options: ClusterOptions): SharedPlainCluster {
  return share(() => options);
}

function share(options: () => ClusterOptions | Promise<ClusterOptions>): SharedPlainCluster {
  let cluster: Cluster | undefined;
  let written = 0;
  before('a cluster', async function () {
    this.timeout(120_000);
    cluster = await startCluster(await options());
  });
  beforeEach('all of it serves', async () => {
    await cluster?.ready();
    await cluster?.until('the cluster serves', ({ phase }) => phase === 'serving');
    written = cluster?.output.length ?? 0;
  });
  afterEach(function () {
    // What a cluster said is what explains a failure.
    if (this.currentTest?.state === 'failed') console.error(cluster?.output.split('\n').slice(-40).join('\n'));
  });
  after('it ended', async function () {
    this.timeout(30_000);
    await cluster?.close();
  });
  return {
    get cluster() {
      return given(cluster);
    },
    get output() {
      return given(cluster).output.slice(written);
    },
  };
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is a cluster during a test only');
  return value;
}
