import { ControlClient } from './control-client.ts';
import { askedBy, type SignedTarget } from './asked-by.ts';
import { findDataDir } from './find-data-dir.ts';
import { counted, print } from './output.ts';
import { tellingOfRun } from './waiting-for-run.ts';
import type { ClusterStatus } from '../protocol/runs.ts';

/** Returns when every worker has been replaced; fails where a new one did not boot, and then the old ones serve on. */
export async function reload(options: SignedTarget): Promise<number> {
  const client = new ControlClient(await findDataDir(options));
  const { workers } = await tellingOfRun(client, 'reload', client.reload(askedBy(options)));
  print(`reloaded ${serving(workers)}`);
  return 0;
}

/** @param instances a number, or a step such as `+1` */
export async function scale(instances: number | string, options: SignedTarget): Promise<number> {
  const { workers } = await new ControlClient(await findDataDir(options)).scale(instances, askedBy(options));
  print(serving(workers));
  return 0;
}

/** Without those that another order has just replaced and that still finish. */
function serving(workers: ClusterStatus['workers']): string {
  return counted(workers.filter(({ state }) => state !== 'stopping').length, 'worker');
}
