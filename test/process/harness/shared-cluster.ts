import { startCluster, type Cluster, type ClusterOptions } from '../../../dev/cluster/cluster.ts';
import { discard, newDatabase, type TestDatabase } from './mongo.ts';

export interface SharedCluster {
  readonly cluster: Cluster;
  readonly database: TestDatabase;
}

/**
 * In a `describe`: one cluster for all of its tests, which therefore leave it as they found it. Each finds the mirrored
 * collection empty, and a cluster that serves with all of its workers.
 */
export function useSharedCluster(
  options: ClusterOptions | ((database: TestDatabase) => ClusterOptions),
): SharedCluster {
  let cluster: Cluster | undefined;
  let database: TestDatabase | undefined;
  before('a cluster', async function () {
    this.timeout(120_000);
    database = await newDatabase();
    const { quiesce, ...rest } = typeof options === 'function' ? options(database) : options;
    cluster = await startCluster({
      ...rest,
      quiesce: { mongodb: { uri: database.uri, db: database.name }, ...quiesce },
    });
  });
  beforeEach('all of it serves', async () => {
    await cluster?.ready();
    await cluster?.until('the cluster serves', ({ phase }) => phase === 'serving');
    await database?.db.collection('resources').deleteMany({});
  });
  afterEach(function () {
    // What a cluster said is what explains a failure.
    if (this.currentTest?.state === 'failed') console.error(cluster?.output.split('\n').slice(-40).join('\n'));
  });
  after('it ended', async function () {
    this.timeout(30_000);
    await cluster?.close();
    await discard(database);
  });
  const given = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('there is a cluster during a test only');
    return value;
  };
  return {
    get cluster() {
      return given(cluster);
    },
    get database() {
      return given(database);
    },
  };
}
