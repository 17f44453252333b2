/**
 * How long the other hosts of a site count on this one, as a worker keeps it: it admits nothing after the deadline, whether
 * or not its primary can still speak, and ends itself where something is still in flight when the grace is over.
 *
 * good ──deadline──▶ over ──renewed──▶ good      over ──(something in flight after the grace)──▶ the process is killed
 */
import os from 'node:os';
import { Worker } from 'node:worker_threads';
import { ownFile } from '../../own-files.ts';
import type { Gate } from '../gate/gate.ts';

/** How often the lease checks whether the requests in flight at the deadline have ended, ms. */
const look = 20;
/** After so long without a request a suspended machine is thought of, ms; and what its clocks then differ by. */
const gap = 1_000;
const slept = 500;

export class Lease {
  readonly #gate: Gate;
  readonly #shared = new SharedArrayBuffer(16);
  readonly #killAt = new BigInt64Array(this.#shared, 0, 1);
  readonly #signal = new Int32Array(this.#shared, 8, 2);
  #deadline = 0;
  #timer: NodeJS.Timeout | undefined;
  #askedAt = 0;
  #sleepOffset = sleepOffset();

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** @param deadline on CLOCK_MONOTONIC, ms; 0 where the host is not counted at all @param grace ms */
  renew(deadline: number, grace: number): void {
    const isFirst = this.#deadline === 0;
    this.#deadline = deadline;
    this.#sleepOffset = sleepOffset();
    Atomics.store(this.#killAt, 0, BigInt(Math.round((deadline + grace) * 1e6)));
    this.#setAtRest(false);
    if (isFirst) this.#watch();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onDeadline(), Math.max(0, deadline - clock())).unref();
  }

  /** Check this before anything starts. */
  isOver(): boolean {
    const now = clock();
    const before = this.#askedAt;
    this.#askedAt = now;
    if (now > this.#deadline) return true;
    return now - before > gap && sleepOffset() - this.#sleepOffset > slept;
  }

  #onDeadline(): void {
    this.#gate.shutForLease();
    const isAtRest = this.#gate.oldest(1).length === 0;
    this.#setAtRest(isAtRest);
    if (!isAtRest) this.#timer = setTimeout(() => this.#onDeadline(), look).unref();
  }

  #setAtRest(isAtRest: boolean): void {
    Atomics.store(this.#signal, 1, isAtRest ? 1 : 0);
    Atomics.add(this.#signal, 0, 1);
    Atomics.notify(this.#signal, 0);
  }

  #watch(): void {
    const thread = new Worker(ownFile(new URL('./watchdog.js', import.meta.url)), {
      name: 'quiesce-watchdog',
      workerData: { shared: this.#shared },
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
    });
    thread.unref();
    // Without it nothing would end a handler in an endless loop.
    thread.on('error', (error) => {
      console.error(`quiesce: the watchdog of this worker has failed, so it ends: ${String(error)}`);
      process.exit(1);
    });
  }
}

/** CLOCK_MONOTONIC, ms. */
function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Grows while the machine sleeps: CLOCK_BOOTTIME goes on, CLOCK_MONOTONIC does not. */
function sleepOffset(): number {
  return os.uptime() * 1_000 - clock();
}
