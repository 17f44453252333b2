import { startCluster, Cluster, type ClusterOptions } from '../../../../dev/cluster/cluster.ts';
import { useDatabase, type TestDatabase } from '../mongodb/mongo.ts';

export interface Clusters {
  readonly database: TestDatabase;
  /** Ready to serve, on the test's own database. */
  start(options?: ClusterOptions): Promise<Cluster>;
  /** Configured but not launched: for starts that fail. */
  create(options?: ClusterOptions): Promise<Cluster>;
}

/** In a `describe`: its tests start clusters, which end with the test. */
export function useClusters(): Clusters {
  // Before the database is dropped: mocha calls these in the order they are written.
  const clusters = usePlainClusters();
  const database = useDatabase();
  const withDatabase = (options: ClusterOptions): ClusterOptions => ({
    ...options,
    quiesce: { mongodb: { uri: database.uri, db: database.name }, ...options.quiesce },
  });
  return {
    database,
    start: (options = {}) => clusters.start(withDatabase(options)),
    create: (options = {}) => clusters.create(withDatabase(options)),
  };
}

/** The same without a database, for apps that have none. */
export function usePlainClusters(): Omit<Clusters, 'database'> {
  const running: Cluster[] = [];
  afterEach('clusters ended', async function () {
    this.timeout(30_000);
    // What a cluster said is what explains a failure.
    if (this.currentTest?.state === 'failed') for (const { output } of running) console.error(output);
    await Promise.all(running.splice(0).map((cluster) => cluster.close()));
  });
  return {
    async start(options = {}) {
      const cluster = await startCluster(options);
      running.push(cluster);
      return cluster;
    },
    async create(options = {}) {
      const cluster = await Cluster.create(options);
      running.push(cluster);
      return cluster;
    },
  };
}
