/** Joins the handover to the running site: what the keeper says about it, and what it has to wait for. */
import type { Logger } from 'pino';
import { cutOffSince, type CutOffCount } from '../fleet/cut-off.ts';
import type { RecordedWorkers } from '../fleet/process/former-workers.ts';
import type { KeeperLink } from '../kept/link.ts';
import type { Coordinator } from '../maintenance/coordinator.ts';
import type { HoldFile } from '../maintenance/holds/hold-file.ts';
import { stillInFlight } from '../maintenance/holds/still-in-flight.ts';
import type { InForce } from '../reload/reloads.ts';
import { cutOffText } from '../reload/words.ts';
import type { SyncRuns } from '../runs/feeds/feed-runs.ts';
import type { Formers } from './formers.ts';
import { giveUpBehind, type Writer } from './give-up.ts';
import { HandOver, type HandOverDeps } from './hand-over.ts';
import { whyNotReplaceable } from './replaceable.ts';

export interface SetUp extends Pick<HandOverDeps, 'isReloading' | 'isWaitedFor'> {
  readonly link: KeeperLink | null;
  readonly inForce: InForce;
  readonly coordinator: Coordinator;
  readonly sync: SyncRuns;
  readonly formers: Formers;
  readonly events: RecordedWorkers;
  readonly holdFile: Pick<HoldFile, 'durable'>;
  /** What workers have been cut off so far. */
  readonly cutOff: CutOffCount;
  /** Resolves when no worker is left. */
  readonly leave: () => Promise<void>;
  /** What is on its way to the disk. */
  readonly records: readonly { flush(): Promise<unknown> }[];
  readonly writers: readonly Writer[];
  /** Gives lock and sockets to the successor. */
  readonly giveUp: () => Promise<void>;
  /** Nothing below the data directory is this primary's any more. */
  readonly yielded: () => void;
  readonly log: Logger;
}

export function setUpHandOver(deps: SetUp): HandOver {
  const { link, inForce, coordinator, sync, formers, events, isReloading, isWaitedFor, leave, log } = deps;
  const handOver = new HandOver({
    isReloading,
    isWaitedFor,
    leave: async () => {
      const before = { ...deps.cutOff };
      await leave();
      const warnings = cutOffText(cutOffSince(before, deps.cutOff), inForce.config.killTimeout);
      for (const warning of warnings) log.warn(warning);
      return warnings;
    },
    link,
    whyNot: () => whyNotReplaceable(link, inForce.config),
    coordinator,
    hasDryRun: () => sync.dryRuns.isGoingOn,
    yield: async () => {
      await deps.holdFile.durable(); // refused where it cannot be written: then everything goes on
      await Promise.all(deps.records.map((each) => each.flush()));
      await giveUpBehind(deps.writers, deps.giveUp);
      deps.yielded();
    },
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
