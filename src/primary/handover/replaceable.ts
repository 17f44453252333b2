/** Which primaries can be replaced while they serve. */
import type { AppConfig } from '../../config.ts';
import { QuiesceError } from '../../errors.ts';

export interface Replaced {
  readonly canReplace: boolean;
  readonly pid: number;
}

/** Null where it can be. @param keeper whoever keeps its sockets */
export function whyNotReplaceable(
  keeper: Replaced | null,
  { scheduling }: Pick<AppConfig, 'scheduling'>,
): QuiesceError | null {
  const why = reason(keeper, scheduling);
  return why === null ? null : new QuiesceError('not-replaceable', why);
}

/** Whether a primary that reads the configuration `found` could take over from one that runs on `inForce`. */
export function isReplaceableBy(
  keeper: Replaced | null,
  inForce: Pick<AppConfig, 'scheduling' | 'cluster' | 'dataDir'>,
  found: Pick<AppConfig, 'scheduling' | 'cluster' | 'dataDir'>,
): boolean {
  const isAllowed = [inForce, found].every((config) => whyNotReplaceable(keeper, config) === null);
  return isAllowed && inForce.dataDir === found.dataDir && inForce.cluster.name === found.cluster.name;
}

function reason(keeper: Replaced | null, scheduling: AppConfig['scheduling']): string | null {
  const stop = 'quiesce stop, then quiesce start';
  if (keeper === null)
    return `The site was started with --no-keeper, so nothing holds its sockets while its primary is replaced. Once: ${stop}, without --no-keeper.`;
  if (!keeper.canReplace)
    return `The process that keeps the sockets of this site (pid ${keeper.pid}) is of an older version of quiesce, which cannot replace a primary. It alone needs a stop: ${stop}.`;
  if (scheduling === 'rr')
    return `With scheduling: 'rr' the primary itself accepts connections, and cannot be replaced without refusing some. Use scheduling: 'os', or ${stop}.`;
  return null;
}
