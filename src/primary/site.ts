/**
 * Runs the site under the lock: state of the last primary → database → control socket → workers → stop. What is set up
 * first is closed last.
 */
import { join } from 'node:path';
import type { RequestHandler } from 'express';
import type { AppConfig } from '../config.ts';
import { QuiesceError, toQuiesceError } from '../errors.ts';
import { MirrorThread } from '../mirror/handle.ts';
import { execRoutes } from './admin/exec-routes.ts';
import { handOverRoute } from './admin/hand-over-route.ts';
import { probes } from './admin/probes.ts';
import { startAdminServer, type AdminServer } from './admin/server.ts';
import { Coordinator } from './maintenance/coordinator.ts';
import { makeDurably } from './data-dir/durable.ts';
import type { LockEvents } from './data-dir/held-lock.ts';
import { Keeper } from './data-dir/keeper.ts';
import { requireDatabase } from './database-check.ts';
import { newCrew } from './fleet/crew.ts';
import { endFormerWorkers, recordWorkers } from './fleet/process/former-workers.ts';
import type { Successor } from './handover/beside.ts';
import { Formers } from './handover/formers.ts';
import { isReplaceableBy } from './handover/replaceable.ts';
import { setUpHandOver } from './handover/set-up.ts';
import { hostsOf } from './hosts/hosts-of.ts';
import { announce } from './maintenance/holds/announce.ts';
import { HoldFile } from './maintenance/holds/hold-file.ts';
import { Journal } from './runs/recovery/journal.ts';
import { Observers } from './live/observers.ts';
import { CronReloads } from './cron-reload.ts';
import type { OpenLog } from './log/log.ts';
import { Ending } from './ending.ts';
import { notifier } from './notify/notifier.ts';
import { observe } from './observe.ts';
import { operations } from './admin/operations.ts';
import { OrderHistory } from './admin/order-history.ts';
import type { SiteParts } from './open-site.ts';
import { announcer, silent } from './readiness.ts';
import { rulesOf } from './maintenance/rules.ts';
import { RunStore } from './runs/history/history.ts';
import { leaveSignals, onSignals } from './signals.ts';
import { ordersBySignal } from './signal-orders.ts';
import { workerSettingsOf } from './fleet/worker-settings.ts';
import { keeperLost, type Beginning, type KeeperLink } from './kept/link.ts';
import { BroughtSources } from './source/brought.ts';
import { Deliveries } from './source/deliveries.ts';
import { feedSources } from './source/start.ts';
import type { EvictedHost } from '../cluster/evictions.ts';
import { Reloads, type InForce } from './reload/reloads.ts';
import { SyncRuns } from './runs/feeds/feed-runs.ts';
import { takeOver } from './runs/take-over.ts';
import { alone } from './ticks.ts';

export interface SiteOptions {
  readonly log: OpenLog;
  /** Further routes of the admin server: the dashboard, which a module of a higher layer provides. */
  readonly more: readonly RequestHandler[];
  /** Reads the configuration as it is now; null if the site was started from code. */
  readonly read: (() => Promise<AppConfig>) | null;
  /** Variables that workers get in place of the primary's own. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** The process that started this primary and keeps its sockets. */
  readonly keeper: KeeperLink | null;
  /** What there was when this primary was started. */
  readonly beginning: Beginning;
  /** What has booted beside the primary that this one takes over from; null where it boots alone. */
  readonly beside: Successor | null;
  /** Where a successor is started; null: where the keeper was. */
  readonly folder: string | null;
  /** Gives lock and sockets to a successor. */
  readonly yield: () => Promise<void>;
  /** Why the sockets of the service manager cannot be served, once every worker serves. */
  readonly unserved: () => QuiesceError | null;
  /** Called when every worker serves. */
  readonly opened: (site: SiteParts) => void;
  /** Whether signals steer the site, and the process that started this one is told when it is ready. */
  readonly signals: boolean;
}

/** Runs until it is stopped. `watchLock` gets the handler for what happens to the lock. */
export async function runSite(
  config: AppConfig,
  options: SiteOptions,
  watchLock: (events: LockEvents) => void,
): Promise<number> {
  const { log: openLog, more, read, inherited, keeper: link, beginning, beside, folder, opened, signals } = options;
  const { dataDir } = config;
  const inForce: InForce = { config };
  const log = openLog.logger;
  const holdFile = new HoldFile(join(dataDir, 'maintenance.json'), (error) =>
    log.error({ err: error }, 'the operator hold cannot be written, and a restart would not know of it'),
  );
  const stored = await holdFile.load(Date.now());
  const runs = await RunStore.open(join(dataDir, 'runs'), log);
  const journal = await Journal.open(join(dataDir, 'journal'));
  const sync = new SyncRuns({
    get config() {
      return inForce.config;
    },
    runs,
    journal,
    log,
    thread: (onProgress) => new MirrorThread({ onProgress, log }),
  });
  const fenceEpoch = beside?.fenceEpoch ?? (await requireDatabase(config, sync.mirror()));

  const workersFile = join(dataDir, 'workers.json');
  const former = beside?.former ?? beginning.former;
  const spared = former.map(({ pid }) => pid);
  const formers = new Formers(former, await endFormerWorkers(workersFile, log, spared), log);

  const observers = new Observers(log);
  const crew = beside?.crew ?? newCrew(config, { inherited, beside: false, log });
  const { supervisor } = crew;
  const epoch = Math.max(stored.epoch, fenceEpoch, runs.newestEpoch, await journal.newestEpoch());
  const onEviction = (host: EvictedHost): void => observers.evicted(host);
  const predecessors = { former, beside: beside !== null };
  const hosts = await hostsOf(config, { runs, sync, log, epoch, onEviction, ...predecessors });
  const rules = rulesOf(inForce, hosts?.agreement.asksOthers);
  const coordinator = new Coordinator({
    rules,
    epoch,
    ...(hosts === null ? {} : { agreement: hosts.agreement }),
    kept: stored,
    former: formers.refs,
    port: supervisor,
    runs,
    sync,
    settingsOf: (ref) => workerSettingsOf(supervisor.configOf(ref)),
    holdFile,
    onMove: (move) => observers.moved(move),
    log,
  });
  const cluster = hosts?.operations(coordinator, rules) ?? null;
  runs.onChange((run) => observers.run(run));
  const again = beginning.again && beside === null; // where a primary died
  const notify = await notifier({ dataDir, inForce, coordinator, observers, runs, ticks: cluster, again, log });
  const left = await takeOver({ dataDir, journal, runs, sync, log });
  if (hosts === null) coordinator.recover(left);
  else hosts.agreement.start(left);
  const deliveries = new Deliveries();
  const brought = new BroughtSources((list) => sources.use(list, 'mirrors'));
  const seen = brought.between(deliveries.between(observers.between(coordinator, coordinator.beats)));
  const events = recordWorkers(seen, workersFile, log, () => formers.workers);
  // Writes the result down, so that the next start does not begin or drop the same hold again.
  void holdFile.restore();
  if (stored.missed) announce({ what: 'missed', hold: stored.missed }, log);
  if (stored.operator)
    log.warn(
      { reason: stored.operator.reason },
      'the cluster starts held by an operator; `quiesce maintenance off` opens it',
    );

  const ending = new Ending(coordinator, supervisor, log);
  let admin: AdminServer | null = null;
  const keeper = new Keeper({
    dataDir,
    log,
    lost: (reason) => {
      sync.halt();
      log.fatal({ reason }, 'another primary may have taken over the data directory: stopping at once');
      ending.fail(
        new QuiesceError(
          'lock-lost',
          `The lock of ${dataDir} was lost (${reason}), so another primary may be running. This one has stopped.`,
        ),
      );
    },
    restore: async () => {
      for (const dir of ['runs', 'journal', 'spool', 'work']) await makeDurably(join(dataDir, dir));
      await Promise.all([holdFile.restore(), journal.restore(), runs.restore(), events.restore(), admin?.restore()]);
      await notify.restore();
      openLog.reopen();
    },
    mend: async () => admin?.mend(),
  });
  watchLock(keeper);
  const readiness = signals ? announcer(log, process.env, { keeper: link, again: beginning.again }) : silent;
  if (link !== null)
    link.lost = () => {
      sync.halt();
      log.fatal(`the process that keeps the sockets (pid ${link.pid}) has ended: stopping at once`);
      ending.fail(new QuiesceError('keeper-lost', keeperLost(link.pid)));
    };
  const orders = new OrderHistory(dataDir, log);
  orders.before = () => handOver.mustOwn();
  const parts = { link, inForce, coordinator, sync, formers, events, cutOff: supervisor.cutOff, log };
  const handOver = setUpHandOver({
    ...parts,
    holdFile,
    records: [runs, orders],
    writers: [notify, events, ...(hosts === null ? [] : [hosts.handOver])],
    giveUp: options.yield,
    yielded: () => {
      admin?.yield();
      cron.use(null);
      sources.close();
      coordinator.close();
    },
    isReloading: () => reloads.isGoingOn,
    isWaitedFor: () => (hosts?.agreement.waiters.size ?? 0) > 0,
    leave: () => {
      live.leave();
      return ending.leave();
    },
  });
  const stop = (now: boolean): void => {
    handOver.cancel();
    readiness.stopping();
    ending.begin(now);
  };
  const sources = feedSources({
    inForce,
    state: () => coordinator.state,
    onChange: (listener) => coordinator.onChange(listener),
    send: (ref, message) => supervisor.send(ref, message),
    deliveries,
    brought,
    runs,
    isTaken: sync.isTaken,
    fetchFailed: (...failure) => notify.fetchFailed(...failure),
    ticks: cluster ?? alone,
    log,
  });
  const cron = new CronReloads(log, cluster ?? alone, () => {
    orders.given('reload', { by: 'cron_restart' });
    return cluster === null ? reloads.reload() : cluster.reload('cron_restart');
  });
  const reloads = new Reloads({
    read,
    inForce,
    fleet: supervisor,
    canBeReplacedBy: (found) => isReplaceableBy(link, inForce.config, found),
    mayBegin: () => handOver.mayReload(),
    prepareAdmin: (next) => admin!.prepare(next),
    onChange: ({ cronRestart, sync: { source } }) => {
      cron.use(cronRestart);
      sources.use(source, 'configuration');
    },
    log,
  });
  const deps = { coordinator, supervisor, reloads, runs, stop, orders, log, keeper, formers, sources, cluster };
  const control = operations({ name: config.name, ...deps });
  const { live, metrics } = await observe(control, observers, openLog, coordinator.beats);
  const ordered = { coordinator, cluster, supervisor, reloads, orders, stop, isInCharge: () => handOver.takesOrders };
  const removeSignals = (signals ? onSignals : leaveSignals)({
    ...ordersBySignal(ordered),
    ...(link === null ? {} : { keeper: link }),
    log,
  });
  cron.use(config.cronRestart);
  sources.use(config.sync.source, 'configuration');
  let hasFailed = true;
  try {
    admin = await startAdminServer({
      dataDir,
      admin: config.admin,
      operations: control,
      live,
      control: [execRoutes(coordinator.exec), handOverRoute(handOver, folder, orders), notify.route],
      more: [
        probes({ status: () => control.status(), readyGrace: () => inForce.config.maintenance.readyGrace }),
        metrics,
        ...more,
      ],
      log,
    });
    live.start();
    const started = beside === null ? supervisor.start() : supervisor.take();
    crew.events.release(events, (ref) => coordinator.beats.of(ref));
    started.then(
      () => {
        const unserved = options.unserved();
        if (unserved !== null && !beginning.again) return ending.fail(unserved);
        if (unserved !== null) log.error(unserved.message); // the app has moved, and serves
        log.info({ urls: supervisor.urls(), workers: config.instances }, `${config.name} is ready`);
        readiness.ready();
        if (beside !== null) notify.replaced();
        opened({ name: config.name, dataDir, operations: control, exec: coordinator.exec });
      },
      (thrown: unknown) => {
        const error = toQuiesceError(thrown, 'boot-failed');
        // Stopped before it was ready, as requested.
        if (error.code !== 'stopping') ending.fail(error);
      },
    );
    const code = await ending.over;
    hasFailed = false;
    return code;
  } finally {
    removeSignals();
    live.close();
    cron.use(null);
    sources.close();
    coordinator.close();
    await hosts?.leave(formers, hasFailed); // no worker of this primary is left
    await Promise.all([admin?.close(), sync.close(), runs.flush(), holdFile.close(), events.flush(), orders.flush()]);
    await notify.close();
  }
}
