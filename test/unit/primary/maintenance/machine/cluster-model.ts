/**
 * A cluster around the maintenance state: workers with gates, a network that delays, reorders, repeats and loses
 * messages, deaths, timers that go off late. It checks the promises after each step, by what the workers really do.
 */
import { initialState } from '#quiesce/primary/maintenance/machine/initial-state.js';
import type { Effect, Event, Rules, State, Timer } from '#quiesce/primary/maintenance/machine/state.js';
import { step as realStep } from '#quiesce/primary/maintenance/machine/step.js';
import type { WorkerRef } from '#quiesce/primary/ports.js';
import { typeOf, type Claim, type Faults, type Message, type Worker } from './model-parts.ts';
import { Commands } from './commands.ts';
import { HoldCallers } from './hold-callers.ts';
import { Others } from './others.ts';
import { checkSafety } from './promises.ts';
import { isDrained, listened, receive } from './worker-gate.ts';
import { keyOf } from '#quiesce/primary/worker-ref.js';

export class ClusterModel {
  state: State;
  readonly rules: Rules;
  readonly #faults: Faults;
  readonly workers: Worker[] = [];
  readonly network: Message[] = [];
  readonly timers: Timer[] = [];
  readonly claims = new Map<string, Claim>();
  /** Runs that an earlier primary left and that have not ended. */
  readonly unfinished = new Set<string>();
  /** The run that the primary prepares, and the one that it writes. */
  preparing: string | null = null;
  writing: { run: string; paused: boolean } | null = null;
  readonly commands: Commands = new Commands(this);
  readonly callers: HoldCallers = new HoldCallers(this);
  readonly others: Others = new Others(this);
  #now = 0;
  #next = 1;
  #incarnations = new Map<number, number>();

  constructor(rules: Rules, faults: Faults = {}) {
    this.rules = rules;
    this.#faults = faults;
    this.state = initialState(0, null);
  }

  get alive(): Worker[] {
    return this.workers.filter((worker) => worker.alive);
  }

  // What can happen.

  fork(slot: number): void {
    const incarnation = (this.#incarnations.get(slot) ?? 0) + 1;
    this.#incarnations.set(slot, incarnation);
    const worker: Worker = {
      ref: { slot, incarnation },
      alive: true,
      gate: this.#faults.startsOpen ? 'open' : 'starting',
      epoch: 0,
      inFlight: 0,
      exclusive: null,
      stopping: false,
      opening: null,
      told: new Set(),
      unheard: new Set(),
    };
    this.workers.push(worker);
    this.dispatch({ type: 'forked', worker: worker.ref });
    this.network.push({ to: 'primary', event: { type: 'hello', worker: worker.ref } });
  }

  /** The kernel tells the primary in its own time, but surely. */
  kill(worker: Worker): void {
    if (!worker.alive) return;
    worker.alive = false;
    worker.inFlight = 0;
    worker.exclusive = null;
    this.dispatch({ type: 'gone', worker: worker.ref });
  }

  request(worker: Worker): void {
    if (worker.alive && worker.gate === 'open') worker.inFlight++;
    this.check();
  }

  finish(worker: Worker): void {
    if (!worker.alive || worker.inFlight === 0) return;
    worker.inFlight--;
    this.#reportIfDrained(worker);
  }

  /** What the app stops in a pause has stopped. */
  stopped(worker: Worker): void {
    if (!worker.alive || !worker.stopping) return;
    worker.stopping = false;
    this.#reportIfDrained(worker);
  }

  listened(worker: Worker): void {
    if (!worker.alive || worker.opening === null) return;
    listened(worker, this.#faults);
    this.check();
  }

  claim(worker: Worker, kind: Claim['kind']): void {
    if (!worker.alive) return;
    const id = `run${this.#next++}`;
    this.claims.set(id, { id, kind, owner: worker, answers: 0, ends: 0, granted: false });
    this.network.push({ to: 'primary', event: { type: 'claim', run: id, kind, owner: worker.ref } });
  }

  submit(worker: Worker): void {
    for (const claim of this.claims.values()) {
      if (claim.owner !== worker || !worker.alive || claim.kind !== 'sync' || !claim.granted) continue;
      this.network.push({ to: 'primary', event: { type: 'submit', run: claim.id, owner: worker.ref } });
    }
  }

  prepared(needsPause: boolean): void {
    const run = this.preparing;
    this.preparing = null;
    if (run !== null) this.dispatch({ type: 'prepared', run, needsPause });
  }

  /** So many runs that an earlier primary left. */
  recover(count: number): void {
    const runs = Array.from({ length: count }, () => `left${this.#next++}`);
    for (const run of runs) this.unfinished.add(run);
    this.dispatch({ type: 'recover', runs });
  }

  written(well: boolean): void {
    const { writing } = this;
    this.writing = null;
    if (writing === null) return;
    if (writing.paused) for (const worker of this.alive) worker.unheard.add(writing.run);
    this.unfinished.delete(writing.run); // whole, or given up by somebody who may
    this.dispatch({ type: 'finished', run: writing.run, error: well ? null : 'run-failed' });
  }

  /** The exclusive handler of a worker is done. */
  release(worker: Worker): void {
    const run = worker.exclusive;
    if (run === null) return;
    worker.exclusive = null;
    this.network.push({ to: 'primary', event: { type: 'release', run, owner: worker.ref, error: null } });
  }

  beat(worker: Worker): void {
    if (!worker.alive) return;
    this.network.push({
      to: 'primary',
      event: { type: 'beat', worker: worker.ref, epoch: worker.epoch, gate: worker.gate },
    });
  }

  /** A repeated claim would be a claim of its own: the primary names the run when it arrives. */
  repeat(index: number): void {
    const message = this.network[index];
    if (message !== undefined && typeOf(message) !== 'claim') this.#receive(message);
  }

  deliver(index: number): void {
    const [message] = this.network.splice(index, 1);
    if (message !== undefined) this.#receive(message);
  }

  /** SIGKILL does its work in its own time. */
  reap(): void {
    for (const worker of this.#killing.splice(0)) this.kill(worker);
  }

  #receive(message: Message): void {
    if (message.to === 'primary') return this.dispatch(message.event);
    if (!message.to.alive) return;
    receive(message.to, message, this.claims, this.#faults);
    if (message.type === 'pause' || message.type === 'cut') this.#reportIfDrained(message.to);
    this.check();
  }

  /** Only what IPC can lose: a message between processes, never an answer that decides about a run's existence. */
  lose(index: number): void {
    const message = this.network[index];
    if (message === undefined) return;
    if (['hello', 'drained', 'beat', 'pause', 'resume', 'cut'].includes(typeOf(message))) this.network.splice(index, 1);
  }

  fire(index: number): void {
    const [timer] = this.timers.splice(index, 1);
    if (timer) this.callers.fire(timer);
  }

  dispatch(event: Event): void {
    this.#now++;
    const now = { wall: this.#now, monotonic: this.#now };
    const step = this.#faults.step;
    const { state, effects } = step
      ? step(realStep, this.state, event, now, this.rules)
      : realStep(this.state, event, now, this.rules);
    this.state = state;
    for (const effect of effects) this.#carryOut(effect);
    this.others.look();
    this.check();
  }

  #carryOut(effect: Effect): void {
    const { epoch } = this.state;
    switch (effect.type) {
      case 'resume': {
        const { worker, type, mirrored } = effect;
        const to = this.#worker(worker);
        if (to) this.network.push({ to, type, epoch, mirrored });
        return;
      }
      case 'pause':
      case 'cut': {
        const to = this.#worker(effect.worker);
        if (to) this.network.push({ to, type: effect.type, epoch });
        return;
      }
      case 'kill':
        return void this.#killing.push(...[this.#worker(effect.worker) ?? []].flat());
      case 'grant': {
        const claim = this.claims.get(effect.run)!;
        claim.answers++;
        if (claim.owner === null) {
          this.commands.begin(claim);
          return this.#requireQuiesced(`the command of ${effect.run} was begun`);
        }
        this.network.push({ to: claim.owner, type: 'granted', run: effect.run });
        if (claim.kind === 'exclusive') this.#requireQuiesced(`exclusive run ${effect.run} was granted`);
        return;
      }
      case 'refuse': {
        const claim = this.claims.get(effect.run);
        if (claim && effect.code !== 'run-failed') claim.answers++;
        return;
      }
      case 'prepare':
        return void (this.preparing = effect.run);
      case 'begin':
        if (this.writing !== null) throw new Error(`S2: ${effect.run} writes while ${this.writing.run} does`);
        this.writing = { run: effect.run, paused: this.state.run?.epoch !== null };
        if (this.writing.paused) this.#requireQuiesced(`run ${effect.run} began to write`);
        return;
      case 'cancel':
        if (this.preparing === effect.run) this.preparing = null;
        return; // a write that is cancelled ends with `written`, in its own time
      case 'drop':
        this.writing = null;
        return this.others.dropped(effect.run);
      case 'ended': {
        const claim = this.claims.get(effect.run);
        if (claim === undefined) return this.#requireWhole(effect.run);
        claim.ends++;
        if (effect.error === 'run-cancelled') this.commands.cancelled(effect.run);
        // A claim that ends before its grant is answered by its end.
        if (claim.answers === 0) claim.answers++;
        return;
      }
      case 'timer':
        return void this.timers.push(effect.timer);
      case 'persist':
        return this.callers.persist();
      case 'inform':
      case 'announce':
      case 'moved':
        return;
      default:
        return effect satisfies never;
    }
  }

  readonly #killing: Worker[] = [];

  #worker(ref: WorkerRef): Worker | undefined {
    return this.alive.find((worker) => keyOf(worker.ref) === keyOf(ref));
  }

  #reportIfDrained(worker: Worker): void {
    if (!isDrained(worker, this.#faults)) return;
    this.network.push({ to: 'primary', event: { type: 'drained', worker: worker.ref, epoch: worker.epoch } });
  }

  #requireWhole(run: string): void {
    if (this.unfinished.has(run)) throw new Error(`M2: ${run} was given up while it may be half done`);
  }

  #requireQuiesced(what: string): void {
    if (this.state.phase !== 'quiesced') throw new Error(`S5: ${what} while the cluster is ${this.state.phase}`);
  }

  check(): void {
    checkSafety(this);
  }
}
