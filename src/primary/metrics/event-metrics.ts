/** Metrics that count events as they happen: requests, pauses, drains, runs, restarts. */
import { Counter, Gauge, Histogram, type Registry } from '../../vendor/prom-client.ts';
import type { EvictedHost } from '../../cluster/evictions.ts';
import type { PauseRecord } from '../../protocol/api/live.ts';
import type { Heartbeat } from '../../protocol/workers/messages.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import { holdKind, runKind, type RunRecord } from '../../protocol/api/runs.ts';
import type { Move, Observer } from '../live/observers.ts';
import type { ExitCause } from '../../protocol/api/runs.ts';
import { weightiest } from '../../protocol/words.ts';
import type { WorkerExit, WorkerRef } from '../ports.ts';
import { runOutcomes, runSteps } from '../../protocol/words.ts';
import { CountedHistogram } from './counted-histogram.ts';

/** From an idle cluster's drain to a long maintenance, s. */
const pauseBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];
const runBuckets = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800];
const unplanned = ['crash', 'boot-failure', 'heartbeat', 'memory', 'killed'] as const satisfies readonly ExitCause[];
const changes = ['inserted', 'updated', 'deleted', 'unchanged'] as const;
const kinds = runKind.options;
const evictable = ['this_host', 'other_host'] as const satisfies readonly EvictedHost[];

export class EventMetrics implements Observer {
  readonly #requests: Counter<'slot'>;
  readonly #problems: Counter<'code'>;
  readonly #times: CountedHistogram;
  readonly #restarts: Counter<'cause'>;
  readonly #evictions: Counter<'evicted'>;
  readonly #pauses: Histogram<'kind'>;
  readonly #drains: Histogram<'outcome'>;
  readonly #runs: Counter<'kind' | 'outcome' | 'code'>;
  readonly #runTimes: Histogram<'kind'>;
  readonly #steps: Histogram<'step'>;
  readonly #documents: Counter<'change'>;
  readonly #lastRun: Gauge<'kind' | 'outcome'>;
  readonly #ended = new Set<string>();
  #drainingSince: number | null = null;
  #lastPause = -1;

  /**
   * @param earlier runs of an earlier primary, the newest first
   * @param isHost whether this is a host of a cluster
   */
  constructor(registry: Registry, earlier: readonly RunRecord[], isHost: boolean) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'quiesce_requests_total',
      help: 'Gated requests that were admitted, by the slot of the worker',
      labelNames: ['slot'],
      registers,
    });
    this.#problems = new Counter({
      name: 'quiesce_refusals_total',
      help: 'Requests that workers answered with a problem document, by its code; `paused` is a shut gate',
      labelNames: ['code'],
      registers,
    });
    this.#problems.inc({ code: 'paused' }, 0);
    this.#times = new CountedHistogram(
      'quiesce_request_duration_seconds',
      'How long gated requests took, from the admission until all of their work had ended',
      registry,
    );
    this.#restarts = new Counter({
      name: 'quiesce_worker_restarts_total',
      help: 'Workers that ended unexpectedly, by cause; each is replaced',
      labelNames: ['cause'],
      registers,
    });
    for (const cause of unplanned) this.#restarts.inc({ cause }, 0);
    this.#evictions = new Counter({
      name: 'quiesce_host_evictions_total',
      help: 'Hosts that were taken out of the cluster because their lease was over, as this one saw it: `this_host`, or `other_host`; where `quiesce.cluster.name` is set',
      labelNames: ['evicted'],
      registers,
    });
    if (isHost) for (const evicted of evictable) this.#evictions.inc({ evicted }, 0);
    this.#pauses = new Histogram({
      name: 'quiesce_pause_duration_seconds',
      help: 'How long the gates were shut, by the kind of hold that weighed most',
      labelNames: ['kind'],
      buckets: pauseBuckets,
      registers,
    });
    for (const kind of holdKind.options) this.#pauses.zero({ kind });
    this.#drains = new Histogram({
      name: 'quiesce_drain_duration_seconds',
      help: 'From shut gates until the last worker was at rest, or until the drain was given up',
      labelNames: ['outcome'],
      buckets: pauseBuckets,
      registers,
    });
    for (const outcome of ['drained', 'given_up']) this.#drains.zero({ outcome });
    this.#runs = new Counter({
      name: 'quiesce_runs_total',
      help: 'Exclusive runs that have ended; `code` is that of the error, empty where there was none',
      labelNames: ['kind', 'outcome', 'code'],
      registers,
    });
    for (const kind of kinds) this.#runs.inc({ kind, outcome: 'succeeded', code: '' }, 0);
    this.#runTimes = new Histogram({
      name: 'quiesce_run_duration_seconds',
      help: 'How long runs that succeeded took, from the claim to the end',
      labelNames: ['kind'],
      buckets: runBuckets,
      registers,
    });
    for (const kind of kinds) this.#runTimes.zero({ kind });
    this.#steps = new Histogram({
      name: 'quiesce_run_step_duration_seconds',
      help: 'How long the steps of mirror runs that succeeded took',
      labelNames: ['step'],
      buckets: runBuckets,
      registers,
    });
    for (const step of runSteps) this.#steps.zero({ step });
    this.#documents = new Counter({
      name: 'quiesce_run_documents_total',
      help: 'Documents that mirror runs found, by what became of them',
      labelNames: ['change'],
      registers,
    });
    for (const change of changes) this.#documents.inc({ change }, 0);
    this.#lastRun = new Gauge({
      name: 'quiesce_run_last_end_timestamp_seconds',
      help: 'When the last run of this kind and outcome ended; runs of earlier primaries count',
      labelNames: ['kind', 'outcome'],
      registers,
    });
    for (const run of earlier.toReversed()) this.#note(run);
  }

  beat(worker: WorkerRef, beat: Heartbeat, before: Heartbeat | undefined): void {
    this.#requests.inc({ slot: String(worker.slot) }, beat.served - (before?.served ?? 0));
    this.#times.add(beat.times, before?.times);
    for (const [code, count] of Object.entries(beat.problems)) {
      const more = count - (before?.problems[code] ?? 0);
      if (more > 0) this.#problems.inc({ code }, more);
    }
  }

  gone(_worker: WorkerRef, { cause }: WorkerExit): void {
    if (cause !== 'planned') this.#restarts.inc({ cause });
  }

  evicted(evicted: EvictedHost): void {
    this.#evictions.inc({ evicted });
  }

  moved({ to, at }: Move): void {
    if (to === 'draining' && this.#drainingSince !== null) return; // a run has joined the drain
    if (this.#drainingSince !== null) {
      const outcome = to === 'quiesced' ? 'drained' : 'given_up';
      this.#drains.observe({ outcome }, (at - this.#drainingSince) / 1_000);
    }
    this.#drainingSince = to === 'draining' ? at : null;
  }

  paused({ epoch, from, to, holds }: PauseRecord): void {
    // A pause is reported again when its last refusals are known.
    if (to === undefined || epoch === this.#lastPause) return;
    this.#lastPause = epoch;
    this.#pauses.observe({ kind: weightiest(holds.map(({ kind }) => kind)) ?? 'operator' }, seconds(from, to));
  }

  run(run: RunRecord): void {
    const { id, kind, state, startedAt, endedAt, report, error } = run;
    if (!isEnded(state) || endedAt === undefined || this.#ended.has(id)) return;
    this.#ended.add(id);
    if (this.#ended.size > 100) this.#ended.delete(this.#ended.values().next().value!);
    this.#note(run);
    this.#runs.inc({ kind, outcome: state, code: error?.code ?? '' });
    if (state !== 'succeeded') return;
    this.#runTimes.observe({ kind }, seconds(startedAt, endedAt));
    if (report === undefined) return;
    for (const step of runSteps) this.#steps.observe({ step }, report.timings[step] / 1_000);
    for (const change of changes) this.#documents.inc({ change }, report.counts[change]);
  }

  #note({ kind, state, endedAt }: RunRecord): void {
    const outcome = runOutcomes.find((each) => each === state);
    if (outcome !== undefined && endedAt !== undefined)
      this.#lastRun.set({ kind, outcome }, Date.parse(endedAt) / 1_000);
  }
}

function seconds(from: string, to: string): number {
  return Math.max(0, Date.parse(to) - Date.parse(from)) / 1_000;
}
