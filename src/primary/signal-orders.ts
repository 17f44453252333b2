/** What each signal orders a site to do, and that it is on record as an order. */
import type { OrderHistory } from './admin/order-history.ts';
import type { Supervisor } from './fleet/supervisor.ts';
import type { ClusterOperations } from './hosts/cluster-operations.ts';
import type { Coordinator } from './maintenance/coordinator.ts';
import type { Reloads } from './reload/reloads.ts';
import type { SignalActions } from './signals.ts';

export interface Ordered {
  readonly coordinator: Pick<Coordinator, 'state' | 'operator'>;
  readonly cluster: Pick<ClusterOperations, 'isHeld' | 'holds'> | null;
  readonly supervisor: Pick<Supervisor, 'instances' | 'scale' | 'reopenFiles'>;
  readonly reloads: Pick<Reloads, 'reload'>;
  readonly orders: Pick<OrderHistory, 'given'>;
  readonly stop: (now: boolean) => void;
  /** False once a successor takes the orders, and writes their record. */
  readonly isInCharge: () => boolean;
}

export function ordersBySignal(site: Ordered): Omit<SignalActions, 'keeper' | 'log' | 'now'> {
  const { coordinator, cluster, supervisor, reloads, orders, stop, isInCharge } = site;
  return {
    stop: (now, by) => {
      if (isInCharge()) orders.given('stop', { by }); // a stop is never refused: it needs nothing on the disk
      stop(now);
    },
    toggleHold: () => {
      const isHeld = cluster === null ? coordinator.state.operator !== null : cluster.isHeld;
      orders.given(isHeld ? 'maintenance off' : 'maintenance on', { by: 'SIGUSR2' });
      return (cluster?.holds ?? coordinator.operator).toggle('SIGUSR2');
    },
    reload: async () => {
      orders.given('reload', { by: 'SIGHUP' });
      await reloads.reload();
    },
    reopenFiles: () => supervisor.reopenFiles(),
    scaleBy: (step) => {
      orders.given('scale', { by: step > 0 ? 'SIGTTIN' : 'SIGTTOU', step });
      return supervisor.scale(Math.max(1, supervisor.instances + step));
    },
  };
}
