/** The moves that make up a step. Each move is checked against the tables and adds its effects in order. */
import { checkMove } from '../../../moves.ts';
import type { ErrorCode } from '../../../errors.ts';
import type { Phase } from '../../../protocol/api/runs.ts';
import type { WorkerRef } from '../../ports.ts';
import {
  holds,
  phaseMoves,
  stageMoves,
  type Effect,
  type OperatorHold,
  type Question,
  type Rules,
  type Run,
  type Stage,
  type State,
  type Time,
  type Timer,
  type WorkerView,
} from './state.ts';
import { keyOf, refOf } from '../../worker-ref.ts';

export const newRun: Omit<Run, 'id' | 'kind' | 'stage'> = {
  owner: null,
  epoch: null,
  held: null,
  recovered: false,
  timeout: null,
  endsWith: null,
  exec: null,
  asks: null,
  fence: null,
};

/** The state while a step changes it, and the effects so far. */
export class Draft {
  state: State;
  readonly now: Time;
  readonly rules: Rules;
  readonly effects: Effect[] = [];

  constructor(state: State, now: Time, rules: Rules) {
    this.state = state;
    this.now = now;
    this.rules = rules;
  }

  get run(): Run | null {
    return this.state.run;
  }

  /** How long the drain of the run may take, ms. */
  get drainTimeout(): number {
    return this.run?.exec?.within ?? this.rules.drainTimeout;
  }

  emit(effect: Effect): void {
    this.effects.push(effect);
  }

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
  }

  setWorker(worker: WorkerView): void {
    this.set({ workers: new Map(this.state.workers).set(keyOf(worker), worker) });
  }

  setRun(run: Run): void {
    this.set({ run });
  }

  move(stage: Stage): void {
    const { run } = this;
    if (run === null) throw new Error(`There is no run that could go to ${stage}.`);
    checkMove<Stage>(stageMoves, `run ${run.id}`, run.stage, stage);
    this.setRun({ ...run, stage });
  }

  movePhase(to: Phase): void {
    const { phase: from, epoch } = this.state;
    checkMove<Phase>(phaseMoves, 'the cluster', from, to);
    this.set({ phase: to });
    this.emit({ type: 'moved', from, to, epoch });
  }

  worker(ref: WorkerRef): WorkerView | undefined {
    return this.state.workers.get(keyOf(ref));
  }

  /** `delay` in ms. */
  timer(timer: Exclude<Timer, { kind: 'operator' | 'scheduled' }>, delay: number): void {
    this.emit({ type: 'timer', timer, at: this.now.monotonic + delay });
  }

  /** The run goes on when the other hosts agree; without other hosts, at once. */
  ask(question: Question): void {
    if (this.rules.asksOthers) this.setRun({ ...this.run!, asks: question });
    else this.goOn(question);
  }

  goOn(agreedTo: Question): void {
    const run = { ...this.run!, asks: null };
    this.setRun(run);
    switch (agreedTo) {
      case 'claim':
        if (run.kind !== 'sync') return this.ask('drain');
        this.timer({ kind: 'run', run: run.id, stage: 'claimed' }, this.rules.uploadTimeout + (run.timeout ?? 0));
        return this.emit({ type: 'grant', run: run.id });
      case 'drain':
        this.move('draining');
        return this.pauseForRun();
      case 'begin':
        this.move('running');
        return this.startWork(this.run!);
      case 'end':
        return this.#ended(run.endsWith);
      default:
        return agreedTo satisfies never;
    }
  }

  /** Starts a pause with its own epoch, even if the gates are shut already. */
  beginPause(): void {
    this.set({ epoch: this.state.epoch + 1, cutting: false });
    // What was proven for the last epoch must be proven again.
    if (this.run?.asks === 'begin' && holds(this.run)) this.setRun({ ...this.run, asks: null });
    this.movePhase('draining');
    for (const worker of this.state.workers.values()) {
      if (worker.gate !== 'shut') this.setWorker({ ...worker, gate: 'draining' });
      // A shut gate may still have a request of a former claim: the worker is asked again, with the new epoch.
      else if (worker.greeted) this.setWorker({ ...worker, gate: 'draining' });
      if (worker.greeted) this.emit({ type: 'pause', worker: refOf(worker) });
    }
  }

  pauseForRun(): void {
    this.beginPause();
    const { epoch } = this.state;
    this.setRun({ ...this.run!, epoch, held: this.now });
    this.timer({ kind: 'drain', epoch }, this.drainTimeout);
  }

  endRun(error: ErrorCode | null): void {
    const { run } = this;
    if (run === null || run.asks === 'end') return;
    this.setRun({ ...run, endsWith: error });
    this.ask('end');
  }

  #ended(error: ErrorCode | null): void {
    const run = this.run!;
    this.set({ run: null, cutting: false });
    if (run.kind === 'sync' && holds(run) && run.stage !== 'draining') this.mirrored(run.id);
    this.emit({ type: 'ended', run: run.id, error });
    this.recoverNext();
    if (holds(run)) this.openOrInform();
  }

  /** The run may have changed documents: every current worker must hear of it. A later worker has no old data. */
  mirrored(run: string): void {
    for (const worker of this.state.workers.values())
      if (!worker.mirrored.includes(run)) this.setWorker({ ...worker, mirrored: [...worker.mirrored, run] });
  }

  /** Puts an operator hold in force: durable, with its end, and with shut gates. */
  hold(operator: OperatorHold, waiters: ReadonlySet<number>): void {
    const before = this.state.operator?.until;
    const { until } = operator;
    this.set({ operator, waiters });
    this.emit({ type: 'persist' });
    if (until !== null && until !== before) this.emit({ type: 'timer', timer: { kind: 'operator', until }, at: until });
    if (this.state.phase === 'serving') this.beginPause();
    else this.inform();
  }

  unhold(): void {
    if (this.state.operator === null) return;
    this.set({ operator: null, waiters: new Set() });
    this.emit({ type: 'persist' });
    this.openOrInform();
  }

  /** The run is at work: its hold stands until the work has surely ended. */
  endWork(endsWith: ErrorCode, why: string): void {
    this.move('ending');
    const run = { ...this.run!, endsWith };
    this.setRun(run);
    if (run.owner === null) this.emit({ type: 'cancel', run: run.id });
    else this.emit({ type: 'kill', worker: run.owner, why });
  }

  /**
   * Nothing may be served before the last of these has ended. A stop leaves the gates shut, and the rest to the next
   * primary.
   */
  recoverNext(): void {
    const [id, ...unfinished] = this.state.unfinished;
    if (id === undefined || this.run !== null || this.state.stopping) return;
    this.set({ unfinished });
    this.setRun({ ...newRun, id, kind: 'sync', stage: 'draining', recovered: true });
    this.pauseForRun();
  }

  /** Call after a hold is gone: opens the gates if it was the last one. */
  openOrInform(): void {
    const { operator, site, unfinished } = this.state;
    if (operator !== null || site !== null || holds(this.run) || unfinished.length > 0) return this.inform();
    if (this.state.phase === 'serving') return;
    this.movePhase('serving');
    for (const worker of this.state.workers.values()) if (worker.greeted) this.open(worker);
  }

  open(worker: WorkerView): void {
    this.setWorker({ ...worker, gate: 'open' });
    this.emit({ type: 'resume', worker: refOf(worker), mirrored: worker.mirrored });
  }

  inform(): void {
    for (const worker of this.state.workers.values())
      if (worker.greeted) this.emit({ type: 'inform', worker: refOf(worker), mirrored: worker.mirrored });
  }

  /** A drain ends when the last worker has reported, or has died. */
  settle(): void {
    if (this.state.phase !== 'draining') return;
    for (const worker of this.state.workers.values()) if (worker.gate !== 'shut') return;
    this.movePhase('quiesced');
    this.set({ cutting: false });
    const { run } = this;
    if (run?.stage === 'draining' && run.asks === null) this.ask('begin');
  }

  startWork(run: Run): void {
    if (run.exec !== null) {
      // No deadline: the primary cannot end a command, and a command may take any time.
      if (run.exec.keepOnFailure) this.emit({ type: 'persist' });
      return this.emit({ type: 'grant', run: run.id });
    }
    this.timer({ kind: 'run', run: run.id, stage: 'running' }, run.timeout ?? this.rules.runTimeout);
    const epoch = run.fence ?? run.epoch ?? this.state.epoch;
    this.emit(run.owner === null ? { type: 'begin', run: run.id, epoch } : { type: 'grant', run: run.id });
  }
}
