import { ControlClient } from './control-client.ts';
import { findDataDir, type Target } from './find-data-dir.ts';
import { print } from './output.ts';

/** Returns when every worker has been replaced; fails where a new one did not boot, and then the old ones serve on. */
export async function reload(options: Target): Promise<number> {
  const { workers } = await new ControlClient(await findDataDir(options)).reload();
  print(`reloaded ${workers.length} workers`);
  return 0;
}

export async function scale(instances: number, options: Target): Promise<number> {
  const { workers } = await new ControlClient(await findDataDir(options)).scale(instances);
  print(`${workers.length} workers`);
  return 0;
}
