/** Decides whether this primary joins a cluster of hosts. */
import type { AppConfig } from '../../config.ts';
import type { JoinDeps, JoinedCluster } from './join.ts';

/** Loads the code for several hosts only if the configuration names a cluster. */
export async function hostsOf(config: AppConfig, deps: JoinDeps): Promise<JoinedCluster | null> {
  if (config.cluster.name === null) return null;
  const { joinCluster } = await import('./join.ts');
  return joinCluster(config, config.cluster.name, deps);
}
