import { startCluster, Cluster, type ClusterOptions } from '../../../dev/cluster/cluster.ts';
import { useDatabase, type TestDatabase } from './mongo.ts';

export interface Clusters {
  readonly database: TestDatabase;
  /** Ready to serve, on the test's own database. */
  start(options?: ClusterOptions): Promise<Cluster>;
  /** Configured but not launched: for starts that fail. */
  create(options?: ClusterOptions): Promise<Cluster>;
}

/** In a `describe`: its tests start clusters, which end with the test. */
export function useClusters(): Clusters {
  const running: Cluster[] = [];
  // Before the database is dropped: mocha calls these in the order they are written.
  afterEach('clusters ended', async function () {
    this.timeout(30_000);
    // What a cluster said is what explains a failure.
    if (this.currentTest?.state === 'failed') for (const { output } of running) console.error(output);
    await Promise.all(running.splice(0).map((cluster) => cluster.close()));
  });
  const database = useDatabase();
  const withDatabase = (options: ClusterOptions): ClusterOptions => ({
    ...options,
    quiesce: { mongodb: { uri: database.uri, db: database.name }, ...options.quiesce },
  });
  return {
    database,
    async start(options = {}) {
      const cluster = await startCluster(withDatabase(options));
      running.push(cluster);
      return cluster;
    },
    async create(options = {}) {
      const cluster = await Cluster.create(withDatabase(options));
      running.push(cluster);
      return cluster;
    },
  };
}
