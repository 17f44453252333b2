/** A cluster that is played, on the true recorder. Its clock is the test's, so that a day takes no time. */
import { QuiesceError } from '#quiesce/errors.js';
import { Live } from '#quiesce/primary/live/live.js';
import { LogTail } from '#quiesce/primary/live/log-tail.js';
import { aBeat } from '../primary/fleet/a-beat.js';
import type { ReloadOutcome } from '#quiesce/primary/reload/reloads.js';
import type { MaintenanceChange, Operations } from '#quiesce/primary/ports.js';
import type {
  ClusterStatus,
  HoldStatus,
  HostStatus,
  Phase,
  RunRecord,
  ScheduledHoldStatus,
  WaitingRequest,
  WorkerStatus,
} from '#quiesce/protocol/api/runs.js';
import { CountedTraffic } from './counted-traffic.ts';
import { randomFrom } from '../../model/explore.ts';

interface Played {
  status: WorkerStatus;
  served: number;
  refused: number;
  startedAt: number;
}

export class FakeCluster implements Operations {
  readonly tail: LogTail = new LogTail();
  readonly traffic: CountedTraffic;
  readonly live: Live;
  readonly asked: string[] = [];
  waitingFor: WaitingRequest[] = [];
  hosts?: HostStatus[];
  /** Requests per second of the whole cluster. */
  load = 1_000;
  /** How long each worker's replacement takes in a reload, ms of the real clock. */
  reloadStep = 150;
  bootFails = false;
  reloadWarnings: string[] = [];
  now: number;
  #phase: Phase = 'serving';
  #epoch = 41;
  #holds: HoldStatus[] = [];
  #scheduled: ScheduledHoldStatus | undefined;
  #workers: Played[] = [];
  #runs: RunRecord[] = [];
  readonly #random = randomFrom(7);
  #restarts = new Map<number, number>();
  readonly #listeners = new Set<(status: ClusterStatus) => void>();

  constructor({ workers = 5, now = Date.now(), runs = [] as RunRecord[], upFor = 26 * 3_600_000 } = {}) {
    this.now = now;
    this.#runs = runs;
    this.traffic = new CountedTraffic(() => this.now);
    for (let slot = 0; slot < workers; slot++) this.#fork(slot, 1, now - upFor);
    const { traffic, tail } = this;
    this.live = new Live({ operations: this, traffic, refused: () => traffic.refused, tail, startedAt: now });
  }

  /** The next second: every worker beats, and a sample is taken. */
  tick(): void {
    this.now += 1_000;
    const open = this.#workers.filter(({ status }) => status.state === 'serving');
    const shut = this.#workers.filter(({ status }) => status.state === 'quiesced' || status.state === 'draining');
    const wave = 1 + 0.12 * Math.sin(this.now / 47_000) + 0.05 * Math.sin(this.now / 9_000);
    for (const worker of open) {
      const rate = ((this.load * wave) / Math.max(1, open.length)) * (0.94 + 0.12 * this.#random());
      worker.served += Math.round(rate);
      worker.status.inFlight = Math.round((rate / 1_000) * 14 * (0.5 + this.#random()));
      worker.status.cpu = Math.round((rate / 9 + 4 * this.#random()) * 10) / 10;
      worker.status.eventLoopDelay = Math.round((0.4 + rate / 250 + 2 * this.#random() ** 4) * 100) / 100;
    }
    for (const worker of shut) {
      const rate = (this.load * wave) / shut.length;
      worker.refused += Math.round(rate);
      worker.status.cpu = Math.round(rate / 22 + 2 * this.#random());
      worker.status.eventLoopDelay = Math.round((0.3 + this.#random()) * 100) / 100;
      if (worker.status.state === 'quiesced') worker.status.inFlight = 0;
    }
    for (const worker of this.#workers) {
      const { status } = worker;
      status.uptime = this.now - worker.startedAt;
      status.memory = Math.round(
        92e6 + 9e6 * status.slot + 14e6 * (((this.now / 1_000 + 37 * status.slot) % 180) / 180),
      );
      this.#beat(worker);
    }
    this.live.sample(this.now);
    this.changed();
  }

  /** Requests are refused at once, as far as the workers tell. */
  refuse(requests: number): void {
    const worker = this.#workers[0]!;
    worker.refused += requests;
    this.#beat(worker);
    this.live.sample(this.now);
  }

  /** Goes with the real clock from now on; returns how to stop. */
  play(): () => void {
    const timer = setInterval(() => this.tick(), 1_000);
    return () => clearInterval(timer);
  }

  move(to: Phase): void {
    const from = this.#phase;
    if (from === 'serving') this.#epoch++;
    this.#phase = to;
    for (const { status } of this.#workers) if (status.state !== 'starting') status.state = to;
    this.live.moved({ from, to, epoch: this.#epoch, at: this.now });
    this.log(30, `the cluster is ${to}`);
    this.changed();
  }

  hold(kind: HoldStatus['kind'], reason: string, until?: number, by?: string): void {
    this.release(kind);
    const end = until === undefined ? {} : { until: new Date(until).toISOString() };
    this.#holds.push({ kind, reason, since: new Date(this.now).toISOString(), ...end, ...(by && { by }) });
  }

  release(kind: HoldStatus['kind']): void {
    this.#holds = this.#holds.filter((hold) => hold.kind !== kind);
  }

  /** Adds a run, or brings it up to date. */
  setRun(run: RunRecord): void {
    this.#runs = [...this.#runs.filter(({ id }) => id !== run.id), run];
    this.live.run(run);
    this.changed();
  }

  log(level: number, msg: string, more: object = {}): void {
    this.tail.write(`${JSON.stringify({ level, time: this.now, pid: 4711, name: 'shop', ...more, msg })}\n`);
  }

  /** A worker dies and is replaced at once. */
  crash(slot: number): void {
    const dead = this.#workers.find(({ status }) => status.slot === slot);
    if (dead === undefined) return;
    const { incarnation } = dead.status;
    this.traffic.gone(dead.status);
    this.#workers = this.#workers.filter((worker) => worker !== dead);
    this.#restarts.set(slot, (this.#restarts.get(slot) ?? 0) + 1);
    this.log(50, `worker ${slot}.${incarnation} ended with SIGKILL: crash`, { slot, incarnation });
    const at = new Date(this.now).toISOString();
    const reason = 'FATAL ERROR: Reached heap limit';
    const fresh = this.#fork(slot, incarnation + 1, this.now);
    fresh.status.lastExit = { incarnation, cause: 'crash', code: null, signal: 'SIGKILL', reason, at };
    this.changed();
  }

  get watchers(): number {
    return this.#listeners.size;
  }

  status(): ClusterStatus {
    return {
      name: 'shop',
      pid: 4711,
      phase: this.#phase,
      epoch: this.#epoch,
      holds: [...this.#holds],
      ...(this.hosts && { hosts: this.hosts }),
      ...(this.#scheduled && { scheduled: this.#scheduled }),
      workers: this.#workers.map(({ status }) => ({ ...status })),
      run: this.#runs.at(-1) ?? null,
      waitingFor: this.#phase === 'draining' ? this.waitingFor : [],
    };
  }

  watch(listener: (status: ClusterStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  urls(): string[] {
    return ['http://127.0.0.1:3000'];
  }

  async maintenance({ on, reason = 'maintenance', forMs, at, by }: MaintenanceChange): Promise<ClusterStatus> {
    const start = at === undefined ? undefined : new Date(at).toISOString();
    this.asked.push(['maintenance', on, reason, forMs, start].filter((each) => each !== undefined).join(' '));
    this.#scheduled = undefined;
    if (start !== undefined) {
      const until = forMs === undefined ? {} : { until: new Date(at! + forMs).toISOString() };
      this.#scheduled = { at: start, ...until, reason, ...(by === undefined ? {} : { by }) };
      this.changed();
    } else if (on) {
      this.hold('operator', reason, forMs === undefined ? undefined : this.now + forMs, by);
      this.move('draining');
      this.move('quiesced');
    } else {
      this.release('operator');
      if (this.#phase === 'serving') this.changed();
      else this.move('serving');
    }
    return this.status();
  }

  async reload(): Promise<ReloadOutcome> {
    this.asked.push('reload');
    if (this.bootFails) {
      throw new QuiesceError(
        'boot-failed',
        'The new worker of slot 0 did not boot: Cannot find module ./routes.js. The old ones serve on.',
      );
    }
    for (const { status } of this.#workers) {
      const { slot, incarnation } = status;
      const fresh = this.#fork(slot, incarnation + 1, this.now, 'starting');
      this.changed();
      await new Promise((resolve) => setTimeout(resolve, this.reloadStep));
      fresh.status.state = 'serving';
      status.state = 'stopping';
      this.changed();
      await new Promise((resolve) => setTimeout(resolve, this.reloadStep));
      this.#workers = this.#workers.filter((worker) => worker.status !== status);
      this.traffic.gone(status);
      this.changed();
    }
    return { changes: [], warnings: this.reloadWarnings };
  }

  previewReload(): Promise<ReloadOutcome> {
    return Promise.resolve({ changes: [], warnings: [] });
  }

  async scale(order: Parameters<Operations['scale']>[0]): Promise<void> {
    const slots = new Set(this.#workers.map(({ status }) => status.slot)).size;
    const instances = 'step' in order ? slots + order.step : order.instances;
    this.asked.push(`scale ${instances}`);
    const have = new Set(this.#workers.map(({ status }) => status.slot));
    for (let slot = 0; slot < instances; slot++) if (!have.has(slot)) this.#fork(slot, 1, this.now);
    this.#workers = this.#workers.filter(({ status }) => status.slot < instances);
    this.changed();
  }

  stop(): void {
    this.asked.push('stop');
  }

  runs(limit: number): RunRecord[] {
    return this.#runs.slice(-limit).reverse();
  }

  run(id: string): RunRecord | undefined {
    return this.#runs.find((run) => run.id === id);
  }

  cancel(id: string): Promise<RunRecord> {
    return this.#end(id, 'cancel', 'failed');
  }

  abandon(id: string): Promise<RunRecord> {
    return this.#end(id, 'abandon', 'abandoned');
  }

  readonly removeHost = (): Promise<void> => Promise.resolve();

  async #end(id: string, how: string, state: 'failed' | 'abandoned'): Promise<RunRecord> {
    this.asked.push(`${how} ${id}`);
    const run = this.run(id);
    if (run === undefined) throw new QuiesceError('not-found', `There is no run ${id}.`);
    const ended: RunRecord = { ...run, state, endedAt: new Date(this.now).toISOString() };
    this.setRun(ended);
    return ended;
  }

  changed(): void {
    const status = this.status();
    for (const listener of this.#listeners) listener(status);
  }

  #beat({ status, served, refused }: Played): void {
    const { inFlight, eventLoopDelay } = status;
    this.traffic.beat(status, aBeat({ inFlight, eventLoopDelay, served, refused }));
  }

  #fork(slot: number, incarnation: number, startedAt: number, state: WorkerStatus['state'] = 'serving'): Played {
    const status: WorkerStatus = {
      slot,
      incarnation,
      pid: 5_000 + 17 * slot + incarnation,
      state,
      inFlight: 0,
      cpu: 0,
      memory: 70e6,
      eventLoopDelay: 0,
      restarts: this.#restarts.get(slot) ?? 0,
      uptime: this.now - startedAt,
    };
    const worker = { status, served: 0, refused: 0, startedAt };
    this.#workers = [...this.#workers, worker].sort(
      (a, b) => a.status.slot - b.status.slot || a.status.incarnation - b.status.incarnation,
    );
    return worker;
  }
}
