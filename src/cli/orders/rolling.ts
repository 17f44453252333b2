/** `quiesce reload` and `quiesce scale`. */
import { ControlClient } from '../control-client.ts';
import { askedBy, type SignedTarget } from './asked-by.ts';
import { findDataDir } from '../find-data-dir.ts';
import { counted, print, warn } from '../output.ts';
import { QuiesceError } from '../../errors.ts';
import { visibleIn } from '../../protocol/visible.ts';
import { hostsProgress, progressSince } from './reload-progress.ts';
import { replacePrimary } from './replace-primary.ts';
import { tellingOfRun } from './waiting-for-run.ts';
import { lineOf, notChanged } from '../../primary/reload/words.ts';
import type { ClusterStatus } from '../../protocol/api/runs.ts';

export interface ReloadOptions extends SignedTarget {
  readonly dryRun?: boolean;
  /** The primary is replaced as well. */
  readonly primary?: boolean;
  /** With `primary`: a run that goes on is waited for. */
  readonly wait?: boolean;
  /** Every host of the cluster, one after another. */
  readonly all?: boolean;
}

/**
 * Returns when all workers are replaced and use the new configuration. Fails if the configuration is wrong or a new
 * worker did not boot; then nothing has changed.
 */
export async function reload(given: ReloadOptions): Promise<void> {
  const { dryRun = false, all = false, primary = false, wait, ...options } = given;
  if (wait !== undefined && !primary)
    throw new QuiesceError('bad-usage', '--wait goes with --primary only: a reload without it waits by itself.');
  if (primary && all)
    throw new QuiesceError('bad-usage', '--primary replaces the primary of this host alone: leave --all out.');
  if (dryRun && all)
    throw new QuiesceError('bad-usage', '--dry-run shows the changes of this host only: leave --all out.');
  if (primary && !dryRun) return replacePrimary(options, wait ?? false);
  const client = new ControlClient(await findDataDir(options));
  const also = dryRun ? {} : { also: all ? hostsProgress() : progressSince(client) };
  const order = client.reload({ ...askedBy(options), ...(dryRun ? { dryRun } : {}), ...(all ? { all } : {}) });
  const { workers, changes, warnings = [], hosts } = visibleIn(await tellingOfRun(client, 'reload', order, also));
  for (const change of changes) print(lineOf(change));
  if (dryRun) print(changes.length === 0 ? notChanged : 'nothing was changed: --dry-run');
  else print(all && hosts !== undefined ? `reloaded ${counted(hosts.length, 'host')}` : `reloaded ${serving(workers)}`);
  for (const warning of warnings) warn(warning);
}

/** @param instances a number, or a step such as `+1` */
export async function scale(instances: number | string, options: SignedTarget): Promise<void> {
  const { workers } = await new ControlClient(await findDataDir(options)).scale(instances, askedBy(options));
  print(serving(workers));
}

/** Counts the workers without those that were replaced and still finish their requests. */
function serving(workers: ClusterStatus['workers']): string {
  return counted(workers.filter(({ state }) => state !== 'stopping').length, 'worker');
}
