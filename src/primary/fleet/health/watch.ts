/** Watches the running workers: which one is silent for too long, and which one uses too much memory. */
import type { AppConfig } from '../../../config.ts';
import type { Heartbeat } from '../../../protocol/workers/messages.ts';
import type { WorkerRef } from '../../ports.ts';
import { HeartbeatMonitor } from './heartbeat.ts';
import { vitalsEvery } from '../lifecycle/settings.ts';
import type { FleetEvent } from '../lifecycle/state.ts';
import { keyOf } from '../../worker-ref.ts';
import { VitalsSampler, type Vitals } from './vitals.ts';

export interface Watched {
  readonly process: { readonly ref: WorkerRef; readonly pid: number | null };
}

export interface WatchSeams {
  /** Called with the event for the fleet's model. */
  readonly found: (event: FleetEvent) => void;
  readonly lastBeat: (ref: WorkerRef) => Heartbeat | undefined;
}

export class FleetWatch {
  readonly #running: ReadonlyMap<string, Watched>;
  readonly #seams: WatchSeams;
  readonly #heartbeats: HeartbeatMonitor<string>;
  readonly #vitals: VitalsSampler;
  #memoryLimit: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(config: AppConfig, running: ReadonlyMap<string, Watched>, seams: WatchSeams) {
    this.#running = running;
    this.#seams = seams;
    this.#heartbeats = new HeartbeatMonitor(config.heartbeat.timeout);
    this.#vitals = new VitalsSampler(
      vitalsEvery(config),
      () => [...running.values()].flatMap(({ process }) => process.pid ?? []),
      () => this.#checkMemory(),
    );
    this.#memoryLimit = config.maxMemoryRestart ?? Infinity;
  }

  start(): void {
    this.#vitals.start();
    this.#checkRegularly();
  }

  stop(): void {
    this.#vitals.stop();
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** From now on the limits of this configuration apply. */
  use(config: AppConfig): void {
    this.#memoryLimit = config.maxMemoryRestart ?? Infinity;
    this.#vitals.every = vitalsEvery(config);
    this.#heartbeats.timeout = config.heartbeat.timeout;
    if (this.#timer !== null) this.#checkRegularly();
  }

  /** From now on its silence counts. */
  serves(ref: WorkerRef, { heartbeat }: AppConfig): void {
    // It sends heartbeats at the interval that it was started with; a shorter new timeout must not be below that.
    this.#heartbeats.watch(keyOf(ref), performance.now(), 2 * heartbeat.interval);
  }

  beat(ref: WorkerRef): void {
    this.#heartbeats.beat(keyOf(ref), performance.now());
  }

  forget(ref: WorkerRef): void {
    this.#heartbeats.forget(keyOf(ref));
  }

  vitalsOf(pid: number | null): Vitals {
    return this.#vitals.of(pid);
  }

  #checkRegularly(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#checkHeartbeats(), this.#heartbeats.interval).unref();
  }

  #checkHeartbeats(): void {
    for (const { key, silentFor } of this.#heartbeats.check(performance.now())) {
      const ref = this.#running.get(key)?.process.ref;
      const delay = (ref && this.#seams.lastBeat(ref)?.eventLoopDelay) ?? 0;
      const why = `no heartbeat for ${Math.round(silentFor)} ms, its event loop is stuck (last known delay ${delay} ms)`;
      if (ref) this.#seams.found({ type: 'kill', ref, cause: 'heartbeat', why });
    }
  }

  #checkMemory(): void {
    for (const { process } of this.#running.values()) {
      const { memory } = this.#vitals.of(process.pid);
      if (memory <= this.#memoryLimit) continue;
      const why = `it uses ${memory} bytes, max_memory_restart is ${this.#memoryLimit}`;
      this.#seams.found({ type: 'retire', ref: process.ref, cause: 'memory', why });
    }
  }
}
