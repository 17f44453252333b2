/** `quiesce reload` and `quiesce scale`. */
import { ControlClient } from '../control-client.ts';
import { askedBy, type SignedTarget } from './asked-by.ts';
import { findDataDir } from '../find-data-dir.ts';
import { counted, print, warn } from '../output.ts';
import { visibleIn } from '../../protocol/visible.ts';
import { QuiesceError } from '../../errors.ts';
import { hostsProgress, progressSince } from './reload-progress.ts';
import { tellingOfRun } from './waiting-for-run.ts';
import type { ClusterStatus } from '../../protocol/runs.ts';

export interface ReloadOptions extends SignedTarget {
  readonly dryRun?: boolean;
  /** Every host of the cluster, one after another. */
  readonly all?: boolean;
}

/**
 * Returns when all workers are replaced and use the new configuration. Fails if the configuration is wrong or a new
 * worker did not boot; then nothing has changed.
 */
export async function reload({ dryRun = false, all = false, ...options }: ReloadOptions): Promise<number> {
  if (dryRun && all) throw new QuiesceError('bad-usage', '--dry-run tells of this host alone: leave --all out.');
  const client = new ControlClient(await findDataDir(options));
  const also = dryRun ? {} : { also: all ? hostsProgress() : progressSince(client) };
  const order = client.reload({ ...askedBy(options), ...(dryRun ? { dryRun } : {}), ...(all ? { all } : {}) });
  const { workers, changes, warnings = [], hosts } = visibleIn(await tellingOfRun(client, 'reload', order, also));
  for (const { setting, from, to } of changes) print(`${setting}: ${from} → ${to}`);
  const later = changes.filter(({ needsPrimary }) => needsPrimary).map(({ setting }) => setting);
  if (dryRun) print(changes.length === 0 ? 'the configuration has not changed' : 'nothing was changed: --dry-run');
  else print(all && hosts !== undefined ? `reloaded ${counted(hosts.length, 'host')}` : `reloaded ${serving(workers)}`);
  for (const warning of warnings) warn(warning);
  if (later.length > 0) warn(`only a new primary takes ${later.join(', ')}: stop the app and start it again`);
  return 0;
}

/** @param instances a number, or a step such as `+1` */
export async function scale(instances: number | string, options: SignedTarget): Promise<number> {
  const { workers } = await new ControlClient(await findDataDir(options)).scale(instances, askedBy(options));
  print(serving(workers));
  return 0;
}

/** Counts the workers without those that were replaced and still finish their requests. */
function serving(workers: ClusterStatus['workers']): string {
  return counted(workers.filter(({ state }) => state !== 'stopping').length, 'worker');
}
