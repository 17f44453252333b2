/**
 * A world for the lifecycle model: processes that do what the model's effects say, when the test lets them. After
 * each step it holds the model against what must always be true.
 */
import {
  newFleet,
  type Effect,
  type Fleet,
  type FleetEvent,
  type FleetSettings,
  type Task,
} from '#quiesce/primary/fleet/lifecycle/state.js';
import { step } from '#quiesce/primary/fleet/lifecycle/step.js';
import { nextDeadline } from '#quiesce/primary/fleet/lifecycle/reconcile.js';
import type { Grace } from '#quiesce/protocol/workers/messages.js';
import type { ExitCause } from '#quiesce/protocol/api/runs.js';
import type { WorkerRef } from '#quiesce/primary/ports.js';

export type Step = typeof step;

export const settings: FleetSettings = {
  killTimeout: 1_600,
  answerTimeout: 30_000,
  webSocketTimeout: 1_000,
  slowBoot: 3_000,
  bootLimit: 10_000,
  probation: 0,
  restart: { minUptime: 1_000, maxRestarts: 16, restartDelay: 0, expBackoffRestartDelay: 0 },
};

export interface Process extends WorkerRef {
  /** Counts orders and forks, to tell what was forked before an order. */
  readonly forked: number;
  ready: boolean;
  told: boolean;
  killed: boolean;
  pinned: boolean;
}

interface Order {
  readonly task: Task;
  readonly given: number;
  /** Processes that it leaves alone. */
  readonly spared: ReadonlySet<Process>;
}

export class Violation extends Error {}

export class World {
  fleet: Fleet;
  now = 0;
  readonly processes: Process[] = [];
  readonly orders: Order[] = [];
  readonly settled: { task: Task; error: string | null }[] = [];
  /** What workers that were told to stop were told. */
  readonly graces: Grace[] = [];
  readonly ends: { ref: WorkerRef; cause: ExitCause }[] = [];
  #clock = 0;
  #stopOrdered = false;
  readonly #seen = new Set<string>();
  readonly #step: Step;
  readonly #settings: FleetSettings;

  constructor(instances: number, stepFunction: Step = step, changes: Partial<FleetSettings> = {}) {
    this.#settings = { ...settings, ...changes };
    this.fleet = newFleet(instances);
    this.#step = stepFunction;
  }

  order(task: Task, event: FleetEvent): void {
    const from = event.type === 'reload' ? (event.from ?? 0) : 0;
    const older = this.processes.filter((each) => this.#generationOf(each) < from);
    this.orders.push({ task, given: ++this.#clock, spared: new Set(older) });
    if (task === 'stop') this.#stopOrdered = true;
    this.send(event);
  }

  start(): void {
    this.order('start', { type: 'start' });
  }

  /** A process says that it serves. */
  ready(process: Process): void {
    process.ready = true;
    this.send({ type: 'ready', ref: refOf(process) });
  }

  /** A process ends. */
  exit(process: Process, code: number | null = 1, signal: string | null = null): void {
    this.processes.splice(this.processes.indexOf(process), 1);
    this.send({ type: 'gone', ref: refOf(process), exit: { code, signal } });
  }

  pin(process: Process, pinned: boolean): void {
    process.pinned = pinned;
    this.send({ type: 'pin', ref: refOf(process), pinned });
  }

  /** Lets time pass up to the next deadline. False where there is none. */
  passTime(): boolean {
    const at = nextDeadline(this.fleet, this.#settings, this.now);
    if (at === null) return false;
    this.now = Math.max(this.now, at);
    this.send({ type: 'tick' });
    return true;
  }

  send(event: FleetEvent): void {
    const { fleet, effects } = this.#step(this.fleet, event, this.now, this.#settings, () => 0.5);
    this.fleet = fleet;
    for (const effect of effects) this.#run(effect);
    this.#check();
  }

  #run(effect: Effect): void {
    switch (effect.type) {
      case 'fork':
        return this.#fork(effect.ref);
      case 'stop': {
        const process = this.#find(effect.ref);
        this.#mayStop(process);
        process.told = true;
        this.graces.push(effect.grace);
        return;
      }
      case 'kill':
        this.#find(effect.ref).killed = true;
        return;
      case 'ended':
        this.ends.push({ ref: effect.ref, cause: effect.exit.cause });
        return;
      case 'settle':
        return this.#settle(effect.task, effect.error?.code ?? null);
      case 'backoff':
      case 'retired':
      case 'slow':
        return;
    }
  }

  #fork(ref: WorkerRef): void {
    const name = `${ref.slot}.${ref.incarnation}`;
    if (this.#seen.has(name)) throw new Violation(`incarnation ${name} came twice`);
    if (this.#stopOrdered) throw new Violation(`${name} was forked after the order to stop`);
    if (this.processes.some((each) => each.slot === ref.slot && !each.ready && !each.killed)) {
      throw new Violation(`two processes start in slot ${ref.slot}`);
    }
    this.#seen.add(name);
    this.processes.push({ ...ref, forked: ++this.#clock, ready: false, told: false, killed: false, pinned: false });
  }

  /** Who serves is told to stop only when its slot is not wanted, or its replacement serves already. */
  #mayStop(process: Process): void {
    if (this.#stopOrdered || this.fleet.phase === 'halting') return;
    const name = `${process.slot}.${process.incarnation}`;
    if (process.pinned) throw new Violation(`${name} was stopped while it was pinned`);
    if (process.slot >= this.fleet.target) return;
    const replaced = this.processes.some(
      (each) =>
        each.slot === process.slot &&
        each.incarnation > process.incarnation &&
        each.ready &&
        !each.told &&
        !each.killed,
    );
    if (!replaced) throw new Violation(`${name} was stopped before its replacement served`);
  }

  #settle(task: Task, error: string | null): void {
    const orders = this.orders.filter((order) => order.task === task);
    // A fleet that halts stops without an order.
    if (orders.length === 0 && task !== 'stop') throw new Violation(`${task} was settled, but nobody waits for it`);
    if (task === 'reload' && error === null) {
      const given = Math.max(...orders.map((order) => order.given));
      const isSpared = (each: Process): boolean => orders.every(({ spared }) => spared.has(each));
      const old = this.processes.find((each) => each.forked < given && !isSpared(each));
      if (old) throw new Violation(`a reload was done with ${old.slot}.${old.incarnation} older than its order`);
      if (this.#serving() < this.fleet.target) throw new Violation('a reload was done with a slot that does not serve');
    }
    if (task === 'stop' && this.processes.length > 0) throw new Violation('the stop was done with a process left');
    this.settled.push({ task, error });
    for (const order of orders) this.orders.splice(this.orders.indexOf(order), 1);
  }

  #serving(): number {
    return new Set(this.processes.filter((each) => each.ready && !each.told && !each.killed).map((each) => each.slot))
      .size;
  }

  #check(): void {
    const known = this.fleet.slots.flatMap((slot) =>
      slot.incarnations.map((each) => `${slot.slot}.${each.incarnation}`),
    );
    const real = this.processes.map((each) => `${each.slot}.${each.incarnation}`);
    if (known.toSorted().join() !== real.toSorted().join()) {
      throw new Violation(`the model knows ${known.join()}, the processes are ${real.join()}`);
    }
    for (const { slot, incarnations } of this.fleet.slots) {
      const idle = incarnations.filter((each) => each.stage === 'serving' && !each.pinned && !each.killed);
      if (idle.length > 1) throw new Violation(`slot ${slot} serves twice`);
    }
    const deadline = nextDeadline(this.fleet, this.#settings, this.now);
    if (deadline !== null && deadline <= this.now)
      throw new Violation('a deadline has passed and stands: its timer would spin');
  }

  #generationOf(ref: WorkerRef): number {
    const slot = this.fleet.slots.find((each) => each.slot === ref.slot);
    return slot?.incarnations.find((each) => each.incarnation === ref.incarnation)?.generation ?? 0;
  }

  #find(ref: WorkerRef): Process {
    const process = this.processes.find((each) => each.slot === ref.slot && each.incarnation === ref.incarnation);
    if (!process) throw new Violation(`an effect on ${ref.slot}.${ref.incarnation}, which does not exist`);
    return process;
  }
}

/**
 * From now on nothing goes wrong: what starts becomes ready, what is told or killed ends, runs end, time passes.
 * Every order must then get its answer, and the fleet be what was wanted.
 */
export function calm(world: World): void {
  for (let turn = 0; turn < 2_000; turn++) {
    const process =
      world.processes.find((each) => each.killed || each.told) ?? world.processes.find((each) => !each.ready);
    const pinned = world.processes.find((each) => each.pinned);
    if (pinned) world.pin(pinned, false);
    else if (process === undefined) {
      if (settledDown(world) || !world.passTime()) break;
    } else if (process.killed || process.told)
      world.exit(process, process.killed ? null : 0, process.killed ? 'SIGKILL' : null);
    else world.ready(process);
  }
  if (world.orders.length > 0) throw new Violation(`no answer to ${world.orders.map((order) => order.task).join()}`);
  const serving = world.processes.filter((each) => each.ready && !each.told).length;
  if (world.fleet.phase === 'stopped') {
    if (world.processes.length > 0) throw new Violation('processes are left');
  } else if (world.fleet.phase !== 'running' || serving !== world.fleet.target || world.processes.length !== serving) {
    throw new Violation(
      `${world.fleet.phase} with ${serving} serving of ${world.processes.length}, wanted ${world.fleet.target}`,
    );
  }
}

function settledDown(world: World): boolean {
  return (
    world.orders.length === 0 &&
    world.fleet.slots.every((slot) => slot.incarnations.length > 0 && slot.retryAt === null)
  );
}

function refOf({ slot, incarnation }: WorkerRef): WorkerRef {
  return { slot, incarnation };
}
