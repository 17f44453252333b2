/** Gauges that are read from the status at each scrape. */
import { Gauge, type Registry } from '../../vendor/prom-client.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import { scopeText } from '../../protocol/feed/mirror-text.ts';
import type { SourceStatus } from '../../protocol/api/source-status.ts';
import {
  holdKind,
  hostState,
  phase as phases,
  runKind,
  workerState,
  type ClusterStatus,
} from '../../protocol/api/runs.ts';

type Values = readonly (readonly [labels: Record<string, string>, value: number])[];

interface GaugeOf {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: (status: ClusterStatus, since: number) => Values;
}

/** @param phaseSince when the current phase started, epoch ms */
export function stateMetrics(registry: Registry, status: () => ClusterStatus, phaseSince: () => number): void {
  for (const { name, help, labels = [], read } of gauges) {
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect() {
        this.reset();
        for (const [label, value] of read(status(), phaseSince())) this.set(label, value);
      },
    });
  }
}

const gauges: GaugeOf[] = [
  {
    name: 'quiesce_phase',
    help: '1 for the phase that the cluster is in, 0 for the others',
    labels: ['phase'],
    read: ({ phase: now }) => phases.options.map((phase) => [{ phase }, Number(phase === now)]),
  },
  {
    name: 'quiesce_phase_start_timestamp_seconds',
    help: 'When the present phase began',
    read: (_status, since) => [[{}, since / 1_000]],
  },
  {
    name: 'quiesce_epoch',
    help: 'The epoch, which grows with every pause',
    read: ({ epoch }) => [[{}, epoch]],
  },
  {
    name: 'quiesce_holds',
    help: 'Reasons that keep the gates shut, by kind',
    labels: ['kind'],
    read: ({ holds }) => holdKind.options.map((kind) => [{ kind }, holds.filter((hold) => hold.kind === kind).length]),
  },
  {
    name: 'quiesce_drain_waiting_requests',
    help: 'Requests that keep a drain waiting, as far as the workers name them',
    read: ({ waitingFor }) => [[{}, waitingFor.length]],
  },
  {
    name: 'quiesce_run_in_progress',
    help: '1 while a run of this kind is going on',
    labels: ['kind'],
    read: ({ run }) =>
      runKind.options.map((kind) => [{ kind }, Number(run !== null && run.kind === kind && !isEnded(run.state))]),
  },
  {
    name: 'quiesce_workers',
    help: 'Workers, by state',
    labels: ['state'],
    read: ({ workers }) =>
      workerState.options.map((state) => [{ state }, workers.filter((worker) => worker.state === state).length]),
  },
  {
    name: 'quiesce_hosts',
    help: 'Hosts of the cluster that this one knows, by state; where `quiesce.cluster.name` is set',
    labels: ['state'],
    read: ({ hosts }) =>
      hosts === undefined
        ? []
        : hostState.options.map((state) => [{ state }, hosts.filter((host) => host.state === state).length]),
  },
  {
    name: 'quiesce_host_lease_seconds',
    help: 'How long the others still count on a host, by host; below 0 where that is over',
    labels: ['host'],
    read: ({ hosts = [] }) => hosts.map(({ name, lease }) => [{ host: name }, lease / 1_000]),
  },
  {
    name: 'quiesce_source_last_end_timestamp_seconds',
    help: 'When a feed was fetched last, by its source, by its mirror where that is named (collection and scope), and by the outcome; since the primary started. Of several with the same labels, the one that is longest ago',
    labels: ['source', 'collection', 'scope', 'outcome'],
    read: ({ sources = [] }) =>
      joined(
        sources.flatMap((source) => {
          const { last } = source;
          return last === undefined
            ? []
            : [[{ ...labelsOf(source), outcome: last.outcome }, Date.parse(last.at) / 1_000] as const];
        }),
        Math.min,
      ),
  },
  {
    name: 'quiesce_source_failing',
    help: '1 where the last attempt to mirror the feed of a source failed, else 0; of several with the same labels, 1 where that of any failed',
    labels: ['source', 'collection', 'scope'],
    read: ({ sources = [] }) =>
      joined(
        sources.map((source) => [labelsOf(source), Number(source.last?.outcome === 'failed')] as const),
        Math.max,
      ),
  },
  perSlot('quiesce_worker_in_flight_requests', 'Gated requests in flight', (worker) => worker.inFlight),
  perSlot('quiesce_worker_resident_memory_bytes', 'Resident memory', (worker) => worker.memory),
  perSlot('quiesce_worker_cpu_ratio', 'Processor time used, 1 for one core', (worker) => worker.cpu / 100),
  perSlot(
    'quiesce_worker_event_loop_delay_seconds',
    'Delay of the event loop, 99th percentile of the last heartbeat',
    (worker) => worker.eventLoopDelay / 1_000,
    Math.max,
  ),
  perSlot(
    'quiesce_worker_uptime_seconds',
    'How long the youngest worker of the slot has been running',
    (worker) => worker.uptime / 1_000,
    Math.min,
  ),
];

function labelsOf({ source, collection = '', scope }: SourceStatus): Record<string, string> {
  return { source, collection, scope: scopeText(scope) };
}

/**
 * One value for each set of labels. The address of a source is shown without its query, which may hold a secret, so two
 * sources may look the same.
 */
function joined(values: Values, join: (a: number, b: number) => number): Values {
  const found = new Map<string, Values[number]>();
  for (const [labels, value] of values) {
    const key = JSON.stringify(labels);
    const known = found.get(key);
    found.set(key, [labels, known === undefined ? value : join(known[1], value)]);
  }
  return [...found.values()];
}

/** A slot has two workers during a reload: their values are added, or combined with `join`. */
function perSlot(
  name: string,
  help: string,
  of: (worker: ClusterStatus['workers'][number]) => number,
  join: (a: number, b: number) => number = (a, b) => a + b,
): GaugeOf {
  return {
    name,
    help: `${help}, by slot`,
    labels: ['slot'],
    read: ({ workers }) =>
      joined(
        workers.filter(({ pid }) => pid !== null).map((worker) => [{ slot: String(worker.slot) }, of(worker)] as const),
        join,
      ),
  };
}
