/**
 * How long the other hosts of a site count on this one, as a worker keeps it: it admits nothing after the deadline, whether
 * or not its primary can still speak, and ends itself where something is still at work when the grace is over.
 *
 * good ──deadline──▶ over ──renewed──▶ good      over ──(something at work after the grace)──▶ the process is killed
 */
import { Worker } from 'node:worker_threads';
import { clock, sleepOffset, sleptSince } from '../../monotonic.ts';
import type { Gate } from '../gate/gate.ts';
import type { GateLease, LeaseTerms } from '../gate/gate-lease.ts';

/** How often the lease checks whether what was at work at the deadline has ended, ms. */
const look = 20;
/** After so long without a request a suspended machine is thought of, ms. */
const gap = 1_000;
/** When the watchdog ends a process in which nothing is at work, ns. */
const never = 2n ** 63n - 1n;

export class Lease implements GateLease {
  readonly #gate: Gate;
  readonly #shared = new SharedArrayBuffer(16);
  /** When the watchdog ends this process, by CLOCK_MONOTONIC, ns. One word, which is read and written as a whole. */
  readonly #killAt = new BigInt64Array(this.#shared, 0, 1);
  readonly #changes = new Int32Array(this.#shared, 8, 1);
  #terms: LeaseTerms = { deadline: 0, sleepOffset: sleepOffset(), grace: 0 };
  #timer: NodeJS.Timeout | undefined;
  #isWatched = false;
  #askedAt = 0;

  constructor(gate: Gate) {
    this.#gate = gate;
    Atomics.store(this.#killAt, 0, never);
  }

  renew(terms: LeaseTerms): void {
    this.#terms = terms;
    this.#noticeSleep();
    this.#arm();
    if (!this.#isWatched) this.#watch();
  }

  /** Check this before anything starts. */
  isOver(): boolean {
    // By the wall clock: the monotonic one stands still while the machine sleeps. A clock that is set costs a look only.
    const now = Date.now();
    const isAfterGap = Math.abs(now - this.#askedAt) > gap;
    this.#askedAt = now;
    if (isAfterGap && this.#noticeSleep()) this.#arm();
    return clock() > this.#terms.deadline;
  }

  /** The clock of the deadline has stood still meanwhile. */
  #noticeSleep(): boolean {
    const asleep = sleptSince(this.#terms.sleepOffset);
    if (asleep === 0) return false;
    const { deadline, grace } = this.#terms;
    this.#terms = { deadline: deadline - asleep, sleepOffset: sleepOffset(), grace };
    return true;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const left = this.#terms.deadline - clock();
    // At rest from the start, or an idle process would be ended for a deadline that has passed.
    const isAtRest = left <= 0 && this.#shut();
    const { deadline, grace } = this.#terms;
    this.#setKillAt(isAtRest ? never : BigInt(Math.round((deadline + grace) * 1e6)));
    if (!isAtRest) this.#timer = setTimeout(() => this.#arm(), left > 0 ? left + 1 : look).unref();
  }

  #shut(): boolean {
    this.#gate.shutForLease();
    return this.#gate.isAtRest;
  }

  #setKillAt(at: bigint): void {
    if (Atomics.exchange(this.#killAt, 0, at) === at) return;
    Atomics.add(this.#changes, 0, 1);
    Atomics.notify(this.#changes, 0);
  }

  #watch(): void {
    this.#isWatched = true;
    const thread = new Worker(new URL('./watchdog.js', import.meta.url), {
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
