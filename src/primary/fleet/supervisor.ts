/**
 * Keeps the workers running: runs the effects of the lifecycle model on real processes and feeds it what happens to
 * them. Every order, message, exit and timer only enqueues an event; the model's state changes in one place.
 */
import type { Address } from 'node:cluster';
import type { Logger } from 'pino';
import type { AppConfig, WorkerSettings } from '../../config.ts';
import { QuiesceError } from '../../errors.ts';
import type { FromWorker } from '../../protocol/messages.ts';
import type { WorkerStatus } from '../../protocol/runs.ts';
import { appUrl } from './app-urls.ts';
import { label, logEntry } from './describe.ts';
import { fleetStatus } from './status.ts';
import { OutputFiles } from '../log/output-files.ts';
import { recordsIn } from './output-records.ts';
import { newFleet, type Effect, type Fleet, type FleetEvent, type FleetSettings, type Task } from './state.ts';
import { HeartbeatMonitor } from './heartbeat.ts';
import { step } from './step.ts';
import type { OutgoingMessage, WorkerEvents, WorkerPort, WorkerRef } from '../ports.ts';
import { nextDeadline } from './reconcile.ts';
import { TaskOutcomes } from './task-outcomes.ts';
import { carryOutEach, Turns } from '../turns.ts';
import { VitalsSampler } from './vitals.ts';
import { readMessage } from './worker-messages.ts';
import { setUpCluster, WorkerProcess, type ProcessEnd } from './worker-process.ts';
import { fleetSettings, vitalsEvery } from './settings.ts';

export interface SupervisorDeps {
  readonly events: WorkerEvents;
  readonly settings: WorkerSettings;
  readonly log: Logger;
}

interface Running {
  readonly process: WorkerProcess;
  readonly key: string;
  /** Why it is going to end, where that is known beforehand. */
  reason: string | null;
  portInUse: boolean;
}

export class Supervisor implements WorkerPort {
  readonly #config: AppConfig;
  readonly #deps: SupervisorDeps;
  readonly #settings: FleetSettings;
  readonly #running = new Map<string, Running>();
  readonly #outcomes = new TaskOutcomes();
  readonly #urls = new Set<string>();
  readonly #heartbeats: HeartbeatMonitor<string>;
  readonly #vitals: VitalsSampler;
  readonly #files: OutputFiles;
  readonly #turns = new Turns<FleetEvent>((event) => this.#take(event));
  #fleet: Fleet;
  /** The model's time of now: what is due after it is still to come. */
  #steppedAt = 0;
  #deadline: NodeJS.Timeout | null = null;
  #heartbeatCheck: NodeJS.Timeout | null = null;

  constructor(config: AppConfig, deps: SupervisorDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#settings = fleetSettings(config);
    this.#fleet = newFleet(config.instances);
    this.#files = new OutputFiles(config, deps.log);
    this.#heartbeats = new HeartbeatMonitor(config.heartbeat.timeout);
    this.#vitals = new VitalsSampler(
      vitalsEvery(config),
      () => [...this.#running.values()].flatMap(({ process }) => process.pid ?? []),
      () => this.#checkMemory(),
    );
  }

  /** Resolves when the workers serve. Rejects with `boot-failed` or `port-in-use` where they cannot; none is left then. */
  start(): Promise<void> {
    setUpCluster(this.#config);
    this.#vitals.start();
    this.#heartbeatCheck = setInterval(() => this.#checkHeartbeats(), this.#heartbeats.interval).unref();
    return this.#task('start', { type: 'start' });
  }

  /** Resolves when every worker is younger than this call; rejects with `boot-failed`, and the old ones serve on. */
  reload(): Promise<void> {
    return this.#task('reload', { type: 'reload' });
  }

  /** Resolves when as many workers serve; rejects with `boot-failed` where the new ones cannot, and takes it back. */
  scale(instances: number): Promise<void> {
    if (!Number.isSafeInteger(instances) || instances < 1) {
      const what = `${instances} workers cannot be run. Give a whole number of at least 1.`;
      return Promise.reject(new QuiesceError('bad-request', what));
    }
    return this.#task('scale', { type: 'scale', target: instances });
  }

  /** Resolves when no worker is left. `now`: without waiting for what is in flight; may be called on top of a slow one. */
  stop(options: { now: boolean }): Promise<void> {
    return this.#task('stop', { type: 'stop', now: options.now });
  }

  send(ref: WorkerRef, message: OutgoingMessage): boolean {
    return this.#running.get(label(ref))?.process.send(message) ?? false;
  }

  kill(ref: WorkerRef, why: string): void {
    this.#enqueue({ type: 'kill', ref, cause: 'killed', why });
  }

  /** While pinned, a worker is stopped by nothing but the stop of the cluster: its exclusive run is going on. */
  pin(ref: WorkerRef, pinned: boolean): void {
    this.#enqueue({ type: 'pin', ref, pinned });
  }

  /** Where the app listens, such as `http://127.0.0.1:3000`. */
  urls(): string[] {
    return [...this.#urls];
  }

  /** After `out_file` and `error_file` have been moved away. */
  reopenFiles(): void {
    this.#files.reopen();
  }

  /** How many workers are wanted. */
  get instances(): number {
    return this.#fleet.target;
  }

  status(): WorkerStatus[] {
    return fleetStatus(this.#fleet, performance.now(), (ref) => {
      const pid = this.#running.get(label(ref))?.process.pid ?? null;
      return { pid, vitals: this.#vitals.of(pid), beat: this.#heartbeats.last(label(ref)) };
    });
  }

  #task(task: Task, event: FleetEvent): Promise<void> {
    const outcome = this.#outcomes.of(task);
    this.#enqueue(event);
    return outcome;
  }

  #enqueue(event: FleetEvent): void {
    this.#turns.add(event);
    this.#setDeadline();
  }

  #take(event: FleetEvent): void {
    this.#steppedAt = performance.now();
    const { fleet, effects } = step(this.#fleet, event, this.#steppedAt, this.#settings, Math.random);
    this.#fleet = fleet;
    const onError = (error: unknown, { type }: Effect): void =>
      this.#deps.log.error({ err: error, effect: type }, `what was to be done with a worker failed (${type})`);
    carryOutEach(effects, (effect) => this.#run(effect), onError);
  }

  #run(effect: Effect): void {
    const entry = logEntry(effect, this.#config.waitReady);
    if (entry) this.#deps.log[entry.level](entry.fields, entry.text);
    switch (effect.type) {
      case 'fork':
        return this.#fork(effect.ref);
      case 'stop':
        return this.#running.get(label(effect.ref))?.process.stop(effect.timeout, this.#config.webSocketTimeout);
      case 'kill':
        this.#noteReason(effect);
        return this.#running.get(label(effect.ref))?.process.kill();
      case 'retired':
        return this.#noteReason(effect);
      case 'ended':
        return this.#deps.events.gone(effect.ref, effect.exit);
      case 'settle':
        return this.#settle(effect);
      case 'backoff':
      case 'slow':
        return;
    }
  }

  #noteReason({ ref, why }: { ref: WorkerRef; why: string }): void {
    const running = this.#running.get(label(ref));
    if (running) running.reason ??= why;
  }

  #settle({ task, error }: Extract<Effect, { type: 'settle' }>): void {
    if (this.#fleet.phase !== 'stopped') return this.#outcomes.settle(task, error);
    this.#vitals.stop();
    if (this.#heartbeatCheck) clearInterval(this.#heartbeatCheck);
    void this.#files.close().then(() => this.#outcomes.settle(task, error));
  }

  #fork(ref: WorkerRef): void {
    const { log, events } = this.#deps;
    const key = label(ref);
    const records = recordsIn(log, ref);
    try {
      const process = new WorkerProcess(ref, this.#config, {
        message: (raw) => this.#message(ref, raw),
        listening: (address) => this.#listening(ref, address),
        line: (stream, line, isCut) => {
          records.add(stream, line, isCut);
          this.#files.write(ref.slot, stream, line, isCut);
        },
        end: (end) => {
          records.flush();
          this.#end(ref, end);
        },
      });
      this.#running.set(key, { process, key, reason: null, portInUse: false });
      log.info({ ...ref, workerPid: process.pid }, `worker ${label(ref)} started`);
      events.forked(ref);
    } catch (error) {
      const reason = `the process could not be started: ${error instanceof Error ? error.message : String(error)}`;
      events.forked(ref);
      this.#enqueue({ type: 'gone', ref, exit: { code: null, signal: null, reason } });
    }
  }

  #end(ref: WorkerRef, end: ProcessEnd): void {
    const key = label(ref);
    const running = this.#running.get(key);
    this.#running.delete(key);
    this.#heartbeats.forget(key);
    const reason = running?.reason ?? (end.lastWords === '' ? undefined : end.lastWords);
    const exit = { code: end.code, signal: end.signal, ...(reason === undefined ? {} : { reason }) };
    this.#enqueue({ type: 'gone', ref, exit, portInUse: running?.portInUse ?? false });
  }

  #message(ref: WorkerRef, raw: unknown): void {
    const { log, events, settings } = this.#deps;
    const received = readMessage(raw, ref);
    if (received.kind === 'foreign') return;
    if (received.kind === 'app-ready') return this.#ready(ref);
    if (received.kind === 'dropped') {
      return log.warn(ref, `a message of worker ${label(ref)} was dropped, ${received.why}`);
    }
    const { message } = received;
    if (message.type === 'ready') return this.#ready(ref);
    if (message.type === 'hello') this.send(ref, { type: 'welcome', epoch: 0, settings });
    else if (message.type === 'heartbeat') this.#heartbeats.beat(label(ref), message.beat, performance.now());
    else if (message.type === 'failed') this.#failed(ref, message);
    events.message(ref, message);
  }

  #failed(ref: WorkerRef, message: Extract<FromWorker, { type: 'failed' }>): void {
    const running = this.#running.get(label(ref));
    if (!running) return;
    running.reason = message.message;
    running.portInUse = message.code === 'EADDRINUSE';
  }

  #listening(ref: WorkerRef, address: Address): void {
    const url = appUrl(address);
    if (url !== null) this.#urls.add(url);
    if (!this.#config.waitReady) this.#ready(ref);
  }

  #ready(ref: WorkerRef): void {
    const before = this.#stage(ref);
    this.#enqueue({ type: 'ready', ref });
    if (before !== 'starting' || this.#stage(ref) !== 'serving') return;
    this.#deps.log.info(ref, `worker ${label(ref)} serves`);
    this.#heartbeats.watch(label(ref), performance.now());
    this.#deps.events.message(ref, { quiesce: 1, ...ref, epoch: 0, type: 'ready' });
  }

  #stage(ref: WorkerRef): string | undefined {
    const slot = this.#fleet.slots.find((each) => each.slot === ref.slot);
    return slot?.incarnations.find((each) => each.incarnation === ref.incarnation)?.stage;
  }

  #setDeadline(): void {
    if (this.#deadline) clearTimeout(this.#deadline);
    const at = nextDeadline(this.#fleet, this.#settings, this.#steppedAt);
    if (at === null) return;
    this.#deadline = setTimeout(() => this.#enqueue({ type: 'tick' }), Math.max(0, Math.ceil(at - performance.now())));
  }

  #checkHeartbeats(): void {
    for (const { key, silentFor } of this.#heartbeats.check(performance.now())) {
      const ref = this.#running.get(key)?.process.ref;
      const delay = this.#heartbeats.last(key)?.eventLoopDelay ?? 0;
      const why = `no heartbeat for ${Math.round(silentFor)} ms, its event loop is stuck (last known delay ${delay} ms)`;
      if (ref) this.#enqueue({ type: 'kill', ref, cause: 'heartbeat', why });
    }
  }

  #checkMemory(): void {
    const limit = this.#config.maxMemoryRestart ?? Infinity;
    for (const { process } of this.#running.values()) {
      const { memory } = this.#vitals.of(process.pid);
      if (memory <= limit) continue;
      const why = `it uses ${memory} bytes, max_memory_restart is ${limit}`;
      this.#enqueue({ type: 'retire', ref: process.ref, cause: 'memory', why });
    }
  }
}
