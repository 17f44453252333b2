/**
 * Keeps the workers running: carries out the effects of the lifecycle model on real processes and tells it what happens to
 * them. Every order, message, exit and timer only enqueues an event; the model's state changes in one place.
 */
import type { Address } from 'node:cluster';
import type { Logger } from 'pino';
import { afterReading } from '../../after-reading.ts';
import type { AppConfig } from '../../config.ts';
import { QuiesceError } from '../../errors.ts';
import type { Heartbeat } from '../../protocol/workers/messages.ts';
import { logEntry } from './lifecycle/describe.ts';
import { fleetStatus, type ProcessStatus } from './status.ts';
import { OutputFiles } from '../log/output-files.ts';
import { recordsIn } from './process/output-records.ts';
import { newFleet, stageOf } from './lifecycle/state.ts';
import type { Effect, Fleet, FleetEvent, FleetSettings, Task } from './lifecycle/state.ts';
import { step } from './lifecycle/step.ts';
import type { OutgoingMessage, WorkerEvents, WorkerPort, WorkerRef } from '../ports.ts';
import { Listening } from './addresses/listening.ts';
import { nextDeadline } from './lifecycle/reconcile.ts';
import { Reasons } from './reasons.ts';
import { TaskOutcomes } from './task-outcomes.ts';
import { carryOutEach, Turns } from '../turns.ts';
import { readMessage } from './process/worker-messages.ts';
import { setUpCluster, WorkerProcess, type ProcessEnd } from './process/worker-process.ts';
import { fleetSettings } from './lifecycle/settings.ts';
import { CutOff } from './cut-off.ts';
import { FleetWatch } from './health/watch.ts';
import { keyOf } from '../worker-ref.ts';

export interface SupervisorDeps {
  readonly events: WorkerEvents;
  readonly lastBeat: (ref: WorkerRef) => Heartbeat | undefined;
  /** Variables that workers get in place of the primary's own. */
  readonly inherited?: Readonly<Record<string, string | undefined>>;
  /** Another primary serves, so that workers wait before they listen, until `take`. Default false. */
  readonly beside?: boolean;
  readonly log: Logger;
}

interface Running {
  readonly process: WorkerProcess;
  /** The configuration that it was forked with. */
  readonly config: AppConfig;
}

export class Supervisor implements WorkerPort {
  readonly cutOff: CutOff = new CutOff();
  readonly #deps: SupervisorDeps;
  readonly #running = new Map<string, Running>();
  readonly #outcomes = new TaskOutcomes();
  readonly #places: Listening;
  readonly #reasons = new Reasons();
  readonly #watch: FleetWatch;
  readonly #files: OutputFiles;
  readonly #turns = new Turns<FleetEvent>((event) => this.#take(event));
  /** The configuration for the next worker. */
  #config: AppConfig;
  #settings: FleetSettings;
  #fleet: Fleet;
  /** The time of the model's last step: later deadlines are still to come. */
  #steppedAt = 0;
  #deadline: NodeJS.Timeout | null = null;

  constructor(config: AppConfig, deps: SupervisorDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#settings = fleetSettings(config);
    this.#fleet = newFleet(config.instances);
    this.#files = new OutputFiles(config, deps.log);
    this.#places = new Listening(deps.beside ?? false);
    this.#watch = new FleetWatch(config, this.#running, {
      found: (event) => this.#enqueue(event),
      lastBeat: deps.lastBeat,
    });
  }

  /** Resolves when workers serve, or could beside another primary; rejects, with none left: `boot-failed`, `port-in-use`. */
  async start(): Promise<void> {
    setUpCluster(this.#config);
    this.#watch.start();
    await Promise.all([this.#task('start', { type: 'start' }), this.#places.prepared(() => this.#fleet.slots)]);
  }

  /** This primary has taken over: as {@link Listening.take}. */
  take(): Promise<void> {
    return this.#places.take(() => this.#fleet.slots, this.#config.waitReady, this.#settings.bootLimit);
  }

  /** Later forks use this configuration; its limits for booting and finishing hold from now on. */
  forkWith(config: AppConfig): void {
    this.#config = config;
    this.#settings = fleetSettings(config);
    this.#setDeadline();
  }

  /** From now on the limits of this configuration apply to workers, and their output goes to its files. */
  watchWith(config: AppConfig): void {
    this.#watch.use(config);
    this.#files.use(config);
  }

  /** The configuration that this worker was forked with, or that the next one will get. */
  configOf(ref: WorkerRef): AppConfig {
    return this.#running.get(keyOf(ref))?.config ?? this.#config;
  }

  /** Grows with each reload. */
  get generation(): number {
    return this.#fleet.generation;
  }

  /**
   * Resolves when every worker is younger than this call; rejects with `boot-failed`, and the old ones serve on.
   *
   * @param from replaces only workers of this generation and later ones: those that a failed reload has forked
   */
  reload(from = 0): Promise<void> {
    return this.#task('reload', { type: 'reload', from });
  }

  /** Resolves when this many workers serve; rejects with `boot-failed` if the new ones cannot, and goes back. */
  scale(instances: number): Promise<void> {
    if (!Number.isSafeInteger(instances) || instances < 1) {
      const what = `${instances} workers cannot be run. Give a whole number of at least 1.`;
      return Promise.reject(new QuiesceError('bad-request', what));
    }
    return this.#task('scale', { type: 'scale', target: instances });
  }

  /** Resolves when no worker is left. `now`: does not wait for requests in flight; may follow a call without it. */
  stop(how: Omit<Extract<FleetEvent, { type: 'stop' }>, 'type'>): Promise<void> {
    return this.#task('stop', { type: 'stop', ...how });
  }

  send(ref: WorkerRef, message: OutgoingMessage): boolean {
    return this.#running.get(keyOf(ref))?.process.send(message) ?? false;
  }

  kill(ref: WorkerRef, why: string): void {
    this.#enqueue({ type: 'kill', ref, cause: 'killed', why });
  }

  /** A pinned worker has an exclusive run in progress: only the stop of the cluster stops it. */
  pin(ref: WorkerRef, pinned: boolean): void {
    this.#enqueue({ type: 'pin', ref, pinned });
  }

  /** The addresses of the app, for example `http://127.0.0.1:3000`. */
  urls(): string[] {
    return this.#places.urls();
  }

  reopenFiles(): void {
    this.#files.reopen();
  }

  /** How many workers are wanted. */
  get instances(): number {
    return this.#fleet.target;
  }

  status(): ProcessStatus[] {
    return fleetStatus(this.#fleet, performance.now(), (ref) => {
      const pid = this.#running.get(keyOf(ref))?.process.pid ?? null;
      return { pid, vitals: this.#watch.vitalsOf(pid) };
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
    carryOutEach(
      effects,
      (effect) => this.#run(effect),
      (err, { type }) => this.#deps.log.error({ err, effect: type }, `an action on a worker failed (${type})`),
    );
  }

  #run(effect: Effect): void {
    const entry = logEntry(effect, 'ref' in effect && this.configOf(effect.ref).waitReady);
    if (entry) this.#deps.log[entry.level](entry.fields, entry.text);
    switch (effect.type) {
      case 'fork':
        return this.#fork(effect.ref);
      case 'stop':
        return this.#running.get(keyOf(effect.ref))?.process.stop(effect.grace);
      case 'kill':
        if (effect.late) this.cutOff.worker(this.#deps.lastBeat(effect.ref)?.inFlight ?? 0);
        this.#reasons.note(effect);
        return this.#running.get(keyOf(effect.ref))?.process.kill();
      case 'retired':
        return this.#reasons.note(effect);
      case 'ended':
        return this.#deps.events.gone(effect.ref, effect.exit);
      case 'settle':
        return this.#settle(effect);
      case 'backoff':
      case 'slow':
        return effect.type === 'slow' ? undefined : this.#deps.events.backoff?.(effect.slot, effect.looping);
    }
  }

  #settle({ task, error }: Extract<Effect, { type: 'settle' }>): void {
    if (this.#fleet.phase !== 'stopped') return this.#outcomes.settle(task, error);
    this.#watch.stop();
    void this.#files.close().then(() => this.#outcomes.settle(task, error));
  }

  #fork(ref: WorkerRef): void {
    const { log, events, inherited = {} } = this.#deps;
    const config = this.#config;
    const records = recordsIn(log, ref);
    try {
      const process = new WorkerProcess(
        ref,
        config,
        { ...inherited, ...this.#places.variables },
        {
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
        },
      );
      this.#running.set(keyOf(ref), { process, config });
      log.info({ ...ref, workerPid: process.pid }, `worker ${keyOf(ref)} started`);
      events.forked(ref);
    } catch (error) {
      const reason = `the process could not be started: ${error instanceof Error ? error.message : String(error)}`;
      events.forked(ref);
      this.#enqueue({ type: 'gone', ref, exit: { code: null, signal: null, reason } });
    }
  }

  #end(ref: WorkerRef, end: ProcessEnd): void {
    this.#running.delete(keyOf(ref));
    this.#watch.forget(ref);
    this.#places.forget(ref);
    const { portInUse, ...why } = this.#reasons.take(ref, end.lastWords);
    this.#enqueue({ type: 'gone', ref, exit: { code: end.code, signal: end.signal, ...why }, portInUse });
  }

  #message(ref: WorkerRef, raw: unknown): void {
    const { log, events } = this.#deps;
    const received = readMessage(raw, ref);
    if (received.kind === 'foreign') return;
    if (received.kind === 'app-ready') {
      this.#places.says(ref);
      return this.#ready(ref);
    }
    if (received.kind === 'dropped')
      return log.warn(ref, `a message of worker ${keyOf(ref)} was dropped, ${received.why}`);
    const { message } = received;
    if (message.type === 'heartbeat') this.#watch.beat(ref);
    else if (message.type === 'failed') this.#reasons.said(ref, message);
    else if (message.type === 'answering') this.#enqueue({ type: 'answering', ref, answering: message.answering });
    else if (this.#places.asks(ref, message)) this.#ready(ref); // it could serve at once, as one that listens
    events.message(ref, message);
  }

  #listening(ref: WorkerRef, address: Address): void {
    this.#places.listens(ref, address);
    if (!this.configOf(ref).waitReady) this.#ready(ref);
  }

  #ready(ref: WorkerRef): void {
    const before = stageOf(this.#fleet, ref);
    this.#enqueue({ type: 'ready', ref });
    if (before !== 'starting' || stageOf(this.#fleet, ref) !== 'serving') return;
    this.#deps.log.info(ref, `worker ${keyOf(ref)} ${this.#places.waits ? 'is prepared' : 'serves'}`);
    this.#watch.serves(ref, this.configOf(ref));
  }

  #setDeadline(): void {
    if (this.#deadline) clearTimeout(this.#deadline);
    const at = nextDeadline(this.#fleet, this.#settings, this.#steppedAt);
    if (at === null) return;
    const wait = Math.max(0, Math.ceil(at - performance.now()));
    this.#deadline = afterReading(wait, () => this.#enqueue({ type: 'tick' }));
  }
}
