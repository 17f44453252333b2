/** What an operator can see and do: `Operations` over the coordinator, the supervisor and the history of runs. */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { QuiesceError } from '../../errors.ts';
import type { ClusterStatus, RunRecord, WorkerState, WorkerStatus } from '../../protocol/api/runs.ts';
import type { Coordinator } from '../maintenance/coordinator.ts';
import { scheduledOf } from '../maintenance/pause-informer.ts';
import type { ScheduledHold, State } from '../maintenance/machine/state.ts';
import type { ClusterOperations } from '../hosts/cluster-operations.ts';
import { noOthers } from '../hosts/unreachable.ts';
import type { Operations } from '../ports.ts';
import type { OrderHistory } from './order-history.ts';
import type { RunStore } from '../runs/history/history.ts';
import { noRun } from '../runs/history/stored-runs.ts';
import type { ProcessStatus } from '../fleet/status.ts';
import type { Supervisor } from '../fleet/supervisor.ts';
import type { Reloads } from '../reload/reloads.ts';
import type { FeedSources } from '../source/sources.ts';
import { keyOf } from '../worker-ref.ts';

export interface OperationsDeps {
  readonly name: string;
  readonly coordinator: Coordinator;
  readonly supervisor: Supervisor;
  readonly reloads: Reloads;
  readonly runs: RunStore;
  readonly stop: (now: boolean) => void;
  readonly orders: Pick<OrderHistory, 'given'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly keeper: { readonly trouble: string | null };
  /** Former primaries that are still there, in words. */
  readonly formers: { readonly text: string | null };
  readonly sources: Pick<FeedSources, 'status' | 'onChange'>;
  /** Null where this host is alone. */
  readonly cluster: ClusterOperations | null;
}

/** A larger number is taken for a typing error. */
export const mostWorkers = 1024;

/** The shortest time between two statuses, ms. */
const watchInterval = 100;

export function operations(deps: OperationsDeps): Operations {
  const { name, coordinator, supervisor, reloads, runs, stop, orders, log, keeper, formers, sources, cluster } = deps;
  cluster?.reloadWith(() => reloads.reload(), log);
  const status = (): ClusterStatus => {
    const { state } = coordinator;
    return {
      name,
      pid: process.pid,
      phase: state.phase,
      epoch: state.epoch,
      holds: coordinator.holds(),
      ...scheduledNow(state, cluster?.scheduled ?? null),
      ...(cluster === null ? {} : { hosts: cluster.hosts(), ...hostsReload(cluster) }),
      workers: supervisor.status().map((worker) => withGate(worker, coordinator)),
      run: (state.run === null ? runs.last : runs.get(state.run.id)) ?? null,
      waitingFor: coordinator.beats.waitingFor(state),
      ...sourcesOf(sources),
      ...warningsOf(coordinator, [keeper.trouble, reloads.trouble, formers.text]),
    };
  };
  const known = (id: string): RunRecord => {
    const run = runs.get(id);
    if (run === undefined) throw noRun(id);
    return run;
  };
  return {
    status,
    watch: (listener) => watch(status, [coordinator, sources, ...(cluster === null ? [] : [cluster])], listener),
    urls: () => supervisor.urls(),
    async maintenance({ on, here = false, wait, at, secret, ...order }) {
      const begins = at === undefined ? {} : { at: new Date(at).toISOString() };
      orders.given(`maintenance ${on ? 'on' : 'off'}${here ? ' --here' : ''}`, { ...order, ...begins });
      const { reason = null, forMs: lasts = null, by = null } = order;
      const pass = secret === undefined ? {} : { pass: { word: secret, key: randomBytes(32).toString('base64url') } };
      const holds = here || cluster === null ? coordinator.operator : cluster.holds;
      if (on && at !== undefined) await holds.schedule({ at, lasts, reason, by, ...pass });
      else if (!on) await holds.unhold();
      else if (wait === undefined) await holds.hold({ reason, lasts, by, ...pass });
      else await holds.holdAtRest({ reason, lasts, by, ...pass }, wait);
      return status();
    },
    reload: ({ all = false, ...order } = {}) => {
      orders.given(all ? 'reload --all' : 'reload', { ...order });
      const { run } = coordinator.state;
      if (run?.kind === 'exclusive')
        log.info({ run: run.id }, `the reload waits for run ${run.id}; to end it: quiesce runs cancel ${run.id}`);
      return all && cluster !== null ? cluster.reload(order.by ?? null) : reloads.reload();
    },
    previewReload: () => reloads.preview(),
    scale: async (order) => {
      orders.given('scale', { ...order });
      const instances = 'step' in order ? supervisor.instances + order.step : order.instances;
      if (instances <= mostWorkers) return supervisor.scale(Math.max(1, instances));
      throw new QuiesceError('bad-request', `More than ${mostWorkers} workers are not run.`);
    },
    stop: ({ now, ...order }) => {
      orders.given(now ? 'stop --now' : 'stop', { ...order });
      stop(now);
    },
    runs: (limit) => runs.list(limit),
    run: (id) => runs.get(id),
    async cancel(id, order = {}): Promise<RunRecord> {
      const run = known(id);
      orders.given('runs cancel', { ...order, run: id });
      if (await coordinator.cancel(id)) return known(id);
      const hint = run.state === 'rolling-forward' ? ` It is half done; to abandon it: quiesce runs abandon ${id}` : '';
      const what = `Run ${id} is ${run.state}: only a run that is going on can be cancelled.${hint}`;
      throw new QuiesceError('bad-request', cluster?.elsewhere(id, 'cancel') ?? what);
    },
    async removeHost(name, order) {
      orders.given('hosts remove', { ...order, host: name });
      if (cluster === null) throw noOthers();
      await cluster.remove(name);
    },
    async abandon(id, order = {}): Promise<RunRecord> {
      if (cluster !== null && (await cluster.abandon(id))) {
        orders.given('runs abandon', { ...order, run: id });
        return runs.get(id) ?? leftBehind(id);
      }
      const run = known(id);
      orders.given('runs abandon', { ...order, run: id });
      if (await coordinator.abandon(id)) return runs.get(id) ?? run;
      const what = `Run ${id} is ${run.state}: only a run that is being rolled forward can be abandoned.`;
      throw new QuiesceError('bad-request', cluster?.elsewhere(id, 'abandon') ?? what);
    },
  };
}

function hostsReload({ reloading }: ClusterOperations): Pick<ClusterStatus, 'hostsReload'> {
  return reloading === null ? {} : { hostsReload: reloading };
}

function sourcesOf(sources: Pick<FeedSources, 'status'>): Pick<ClusterStatus, 'sources'> {
  const all = sources.status();
  return all.length === 0 ? {} : { sources: all };
}

/** Of all hosts, or of this one. */
function scheduledNow({ scheduled }: State, ofAll: ScheduledHold | null): ReturnType<typeof scheduledOf> {
  return ofAll === null ? scheduledOf(scheduled) : scheduledOf(ofAll, true);
}

/** Another host's, which is gone: its history is there. */
function leftBehind(id: string): RunRecord {
  return { id, kind: 'sync', state: 'abandoned', startedAt: new Date().toISOString() };
}

function warningsOf(
  { state, unsaved }: Coordinator,
  troubles: readonly (string | null)[],
): Pick<ClusterStatus, 'warnings'> {
  const warnings = troubles.filter((each) => each !== null);
  if (unsaved !== null) {
    const then =
      state.operator === null ? 'after a restart the cluster would be held again' : 'a restart would open the gates';
    warnings.push(`The operator hold cannot be written (${unsaved}): ${then}. It is tried again until it is written.`);
  }
  return warnings.length === 0 ? {} : { warnings };
}

/** Joins the two views: the supervisor knows processes, the coordinator knows gates. */
function withGate(worker: ProcessStatus, coordinator: Coordinator): WorkerStatus {
  const view = coordinator.state.workers.get(keyOf(worker));
  const beat = coordinator.beats.of(worker);
  let state: WorkerState = worker.state;
  if (state === 'serving' && view !== undefined && view.gate !== 'open')
    state = view.gate === 'draining' ? 'draining' : 'quiesced';
  // The order of the documentation: people read the answer too.
  const { slot, incarnation, pid, state: _state, cpu, memory, ...rest } = worker;
  const { inFlight = 0, eventLoopDelay = 0 } = beat ?? {};
  return { slot, incarnation, pid, state, inFlight, cpu, memory, eventLoopDelay, ...rest };
}

function watch(
  status: () => ClusterStatus,
  sources: readonly Pick<Coordinator, 'onChange'>[],
  listener: (status: ClusterStatus) => void,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  const tell = (): void => {
    timer = undefined;
    last = performance.now();
    listener(status());
  };
  const changed = (): void => {
    timer ??= setTimeout(tell, Math.max(0, watchInterval - (performance.now() - last)));
  };
  const forgets = sources.map((source) => source.onChange(changed));
  return () => {
    for (const forget of forgets) forget();
    clearTimeout(timer);
  };
}
