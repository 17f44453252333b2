import { ControlClient } from './control-client.ts';
import { findDataDir, type Target } from './find-data-dir.ts';
import { print } from './output.ts';
import type { ClusterStatus } from '../protocol/runs.ts';

/** Returns when every worker has been replaced; fails where a new one did not boot, and then the old ones serve on. */
export async function reload(options: Target): Promise<number> {
  const { workers } = await new ControlClient(await findDataDir(options)).reload();
  print(`reloaded ${serving(workers)} workers`);
  return 0;
}

export async function scale(instances: number, options: Target): Promise<number> {
  const { workers } = await new ControlClient(await findDataDir(options)).scale(instances);
  print(`${serving(workers)} workers`);
  return 0;
}

/** Without those that another order has just replaced and that still finish. */
function serving(workers: ClusterStatus['workers']): number {
  return workers.filter(({ state }) => state !== 'stopping').length;
}
