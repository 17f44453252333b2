/** Reports the progress of a slow reload, and the workers that it waits for. */
import type { ControlClient } from '../control-client.ts';
import { counted } from '../output.ts';
import type { ClusterStatus } from '../../protocol/api/runs.ts';
import { visibleLine } from '../../protocol/visible.ts';
import { tellOnce } from './waiting-for-run.ts';

type Workers = ClusterStatus['workers'];

/** Says at each change how far the reload has come. To be called before it is ordered. */
export function progressSince(client: ControlClient): (status: ClusterStatus) => void {
  let before: Workers | null = null;
  // Not awaited: the order itself may fail first, and its error is the one that counts.
  client.status().then(
    ({ workers }) => (before = workers),
    () => undefined,
  );
  return tellOnce(({ workers }) => (before === null ? '' : progressOf(before, workers)));
}

/** Says at each change which host is at it. */
export function hostsProgress(): (status: ClusterStatus) => void {
  return tellOnce(hostsProgressOf);
}

/** Such as `2 of 4 hosts done; web-3 is at it`; empty where no reload of all hosts goes on. */
export function hostsProgressOf({ hostsReload }: Pick<ClusterStatus, 'hostsReload'>): string {
  if (hostsReload === undefined) return '';
  const { done, of, host } = hostsReload;
  return visibleLine(`${done} of ${counted(of, 'host')} done; ${host} is at it`);
}

/** Such as `2 of 4 workers new; waiting for worker 0.1 to finish 3 requests`. */
export function progressOf(before: Workers, now: Workers): string {
  const old = new Map<number, number>();
  for (const { slot, incarnation } of before) old.set(slot, Math.max(incarnation, old.get(slot) ?? 0));
  const slots = [...new Set(now.map(({ slot }) => slot))];
  const serves = ({ state }: Workers[number]): boolean => !['starting', 'stopping', 'waiting'].includes(state);
  const isNew = (slot: number): boolean =>
    now.some((each) => each.slot === slot && serves(each) && each.incarnation > (old.get(slot) ?? 0));
  const done = `${slots.filter(isNew).length} of ${counted(slots.length, 'worker')} new`;
  const waits = now
    .filter(({ state }) => state === 'stopping')
    .map(({ slot, incarnation, inFlight }) =>
      inFlight === 0
        ? `worker ${slot}.${incarnation} to end`
        : `worker ${slot}.${incarnation} to finish ${counted(inFlight, 'request')}`,
    );
  return waits.length === 0 ? done : `${done}; waiting for ${waits.join(', ')}`;
}
