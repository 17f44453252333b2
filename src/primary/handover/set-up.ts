/** Joins the handover to the running site: what the keeper says about it, and what it has to wait for. */
import type { Logger } from 'pino';
import type { RecordedWorkers } from '../fleet/former-workers.ts';
import type { KeeperLink } from '../kept/link.ts';
import type { Coordinator } from '../maintenance/coordinator.ts';
import { stillInFlight } from '../maintenance/still-in-flight.ts';
import type { InForce } from '../reload/reloads.ts';
import type { SyncRuns } from '../runs/feed-runs.ts';
import type { Formers } from './formers.ts';
import { HandOver, type HandOverDeps } from './hand-over.ts';
import { whyNotReplaceable } from './replaceable.ts';

export interface SetUp extends Pick<HandOverDeps, 'yield' | 'leave'> {
  readonly link: KeeperLink | null;
  readonly inForce: InForce;
  readonly coordinator: Coordinator;
  readonly sync: SyncRuns;
  readonly formers: Formers;
  readonly events: RecordedWorkers;
  readonly log: Logger;
}

export function setUpHandOver({ link, inForce, coordinator, sync, formers, events, log, ...steps }: SetUp): HandOver {
  const handOver = new HandOver({
    ...steps,
    link,
    whyNot: () => whyNotReplaceable(link, inForce.config),
    coordinator,
    hasDryRun: () => sync.dryRuns.isGoingOn,
    waitingFor: () => stillInFlight(coordinator.beats.waitingFor(coordinator.state), ({ path }) => path),
    log,
  });
  link?.onOrder((order) => {
    if (order.type !== 'former-gone') return handOver.order(order);
    formers.gone(order.former).then(
      (ref) => {
        if (ref !== null) coordinator.gone(ref);
        void events.restore();
      },
      (error: unknown) => log.error({ err: error }, 'a pause waits for workers of the former primary'),
    );
  });
  return handOver;
}
