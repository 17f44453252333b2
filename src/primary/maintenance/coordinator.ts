/**
 * Connects the workers with the maintenance state: their messages become events, its effects become messages. What is
 * kept outside the state (waiting callers, last heartbeats) never decides about gates.
 */
import type { WorkerSettings } from '../../config.ts';
import type { Logger } from 'pino';
import { QuiesceError, toQuiesceError, type ErrorCode } from '../../errors.ts';
import { tellCutOff } from '../runs/cut-off-note.ts';
import type { FromWorker, Replies } from '../../protocol/workers/messages.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import type { HoldStatus, RunRecord } from '../../protocol/api/runs.ts';
import { alone, type Agreement } from './agreement.ts';
import { Beats } from './beats.ts';
import { Changes } from './changes.ts';
import { Callers, type Answer } from '../runs/requests/callers.ts';
import { announce } from './holds/announce.ts';
import type { HoldFile } from './holds/hold-file.ts';
import type { Move } from '../live/observers.ts';
import { MaintenanceLoop } from './loop.ts';
import { durable, type Stored } from './machine/durable-hold.ts';
import { initialState } from './machine/initial-state.ts';
import type { Effect, Event, Rules, State } from './machine/state.ts';
import { OperatorHolds } from './holds/operator-holds.ts';
import { holdsOf, PauseInformer } from './pause-informer.ts';
import type { WorkerEvents, WorkerPort, WorkerRef } from '../ports.ts';
import { conclude, runError, tellOwner, stageStates } from '../runs/conclusion.ts';
import { refusal, type Missed } from '../runs/requests/end.ts';
import { ExecRuns } from '../runs/exec-runs.ts';
import type { RunStore } from '../runs/history/history.ts';
import type { SyncRuns } from '../runs/feeds/feed-runs.ts';
import { WorkerRequests } from '../runs/requests/worker-requests.ts';

export interface CoordinatorDeps {
  readonly rules: Rules;
  /** The largest epoch that may have been used. */
  readonly epoch: number;
  /** What an earlier primary has stored. */
  readonly kept: Pick<Stored, 'operator' | 'scheduled'>;
  readonly port: WorkerPort;
  readonly runs: RunStore;
  readonly sync: SyncRuns;
  /** The settings that a started worker is sent. */
  readonly settingsOf: (ref: WorkerRef) => WorkerSettings;
  /** Null if nothing outlives the process. */
  readonly holdFile: HoldFile | null;
  readonly former?: readonly WorkerRef[];
  /** The agreement among the hosts of a site; by default there is one host. */
  readonly agreement?: Agreement;
  /** Called at each change of phase; decides nothing. */
  readonly onMove?: (move: Move) => void;
  readonly log: Logger;
}

export class Coordinator implements WorkerEvents {
  readonly beats: Beats = new Beats();
  readonly operator: OperatorHolds;
  readonly exec: ExecRuns;
  readonly #deps: CoordinatorDeps;
  readonly #loop: MaintenanceLoop;
  readonly #callers = new Callers();
  readonly #changes = new Changes();
  readonly #informer: PauseInformer;
  readonly #requests: WorkerRequests;

  constructor(deps: CoordinatorDeps) {
    this.#deps = deps;
    const { runs, sync, log, kept, former, agreement = alone } = deps;
    const initial = initialState(deps.epoch, kept.operator, agreement.firstHold, kept.scheduled, former);
    this.#loop = new MaintenanceLoop(initial, deps.rules, {
      run: (...step) => this.#carryOut(...step),
      stepped: (state) => agreement.look(state),
      onError: (error, { type }) => deps.log.error({ err: error, effect: type }, `a pause could not ${type}`),
    });
    this.#informer = new PauseInformer(deps.runs, deps.port);
    const dispatch = (event: Event): void => this.#dispatch(event);
    const holds = { dispatch, state: () => this.state, written: async () => deps.holdFile?.settled() };
    this.#requests = new WorkerRequests({ ...holds, runs, sync, callers: this.#callers, log });
    this.operator = new OperatorHolds({
      ...holds,
      onChange: (listener) => this.onChange(listener),
      waitingFor: (state) => this.beats.waitingFor(state),
      drainTimeout: () => deps.rules.drainTimeout,
    });
    const ended = (id: string): Promise<void> => this.#changes.until(() => runs.get(id)?.endedAt !== undefined);
    this.exec = new ExecRuns({ ...holds, runs, callers: this.#callers, ended });
    deps.runs.onAny((run) => this.#onRunChange(run));
    const epoch = (): number => agreement.epoch ?? this.state.epoch;
    deps.sync.connect({ dispatch, refused: () => this.beats.refused, epoch });
    deps.sync.hooks.connect((worker, message) => deps.port.send(worker, message));
    agreement.connect(dispatch, () => {
      for (const worker of this.state.workers.values()) if (worker.greeted) this.#tellLease(worker);
    });
  }

  get state(): State {
    return this.#loop.state;
  }

  /** Calls `listener` after anything in a status may have changed. Returns a function that removes it. */
  onChange(listener: () => void): () => void {
    return this.#changes.onChange(listener);
  }

  /** Why the operator hold, or its end, would be unknown after a restart; null if it would be known. */
  get unsaved(): string | null {
    return this.#deps.holdFile?.problem ?? null;
  }

  /**
   * Finishes what a former primary started, before any gate opens. Must be called before the first worker is forked.
   */
  recover(runs: readonly string[]): void {
    if (runs.length > 0) this.#dispatch({ type: 'recover', runs });
  }

  handOver(begun: boolean): void {
    this.#dispatch({ type: 'hand-over', begun });
  }
  /** Starts no new run. Resolves when the current one has ended; one that rolls forward is left to the next primary. */
  stop(): Promise<void> {
    this.#dispatch({ type: 'stop' });
    return this.#changes.until(() => this.state.run === null || this.#deps.sync.isRollingForward(this.state.run.id));
  }

  /** False if there is nothing to cancel. Resolves when the run has ended, or must be rolled forward. */
  async cancel(id: string): Promise<boolean> {
    await this.#changes.until(() => this.state.run?.recovered !== true || this.state.run.stage !== 'draining');
    if (this.state.run?.id !== id || this.#deps.sync.isRollingForward(id)) return false;
    this.#dispatch({ type: 'cancel', run: id });
    await this.#changes.until(
      () => this.#deps.runs.get(id)?.endedAt !== undefined || this.#deps.sync.isRollingForward(id),
    );
    return true;
  }

  /** False if the run is not being rolled forward. Resolves when the history has its end. */
  async abandon(id: string): Promise<boolean> {
    const isGivenUp = this.#deps.sync.abandon(id);
    if (isGivenUp) await this.#changes.until(() => this.#deps.runs.get(id)?.endedAt !== undefined);
    return isGivenUp;
  }

  close(): void {
    this.#loop.close();
    this.#informer.stop();
  }

  holds(): HoldStatus[] {
    return holdsOf(this.state);
  }

  forked(ref: WorkerRef): void {
    this.#dispatch({ type: 'forked', worker: ref });
  }

  gone(ref: WorkerRef): void {
    this.beats.forget(ref);
    this.#callers.forget(ref);
    this.#deps.sync.hooks.gone(ref);
    void this.#deps.sync.gone(ref);
    this.#dispatch({ type: 'gone', worker: ref });
  }

  message(ref: WorkerRef, message: FromWorker): void {
    switch (message.type) {
      case 'hello':
        this.#deps.port.send(ref, { type: 'welcome', epoch: this.state.epoch, settings: this.#deps.settingsOf(ref) });
        this.#tellLease(ref);
        return this.#dispatch({ type: 'hello', worker: ref });
      case 'drained':
        return this.#dispatch({ type: 'drained', worker: ref, epoch: message.epoch });
      case 'cut-off':
        return tellCutOff(this.#deps, this.state.run?.id, ref, message.request);
      case 'heartbeat':
        this.beats.set(ref, message.beat);
        return this.#dispatch({ type: 'beat', worker: ref, epoch: message.epoch, gate: message.beat.gate });
      case 'request': {
        const answer: Answer = (result) => {
          const reply = 'error' in result ? { problem: result.error.toProblem() } : { value: result.value };
          this.#deps.port.send(ref, { type: 'reply', epoch: this.state.epoch, id: message.id, ...reply });
        };
        this.#requests.answer(ref, message.body, answer).catch((error: unknown) => {
          if (!(error instanceof QuiesceError))
            this.#deps.log.error({ err: error, op: message.body.op }, 'a request of a worker failed');
          answer({ error: toQuiesceError(error) });
        });
        return;
      }
      case 'sources':
      case 'feed-taken': // of the sources
      case 'failed':
      case 'answering':
        return; // the supervisor handles it
      default:
        return message satisfies never;
    }
  }

  #dispatch(event: Event): void {
    this.#loop.dispatch(event);
    this.#changes.tell();
  }

  #carryOut(effect: Effect, state: State, before: State): void {
    const { port, runs, sync, log } = this.#deps;
    const { epoch } = state;
    switch (effect.type) {
      case 'pause':
        return void port.send(effect.worker, { type: 'pause', epoch, info: this.#informer.info(state) });
      case 'inform':
      case 'resume': {
        const message = { epoch, mirrored: sync.mirrored.of(effect.mirrored) };
        if (effect.type === 'resume') return void port.send(effect.worker, { type: 'resume', ...message });
        return void port.send(effect.worker, { type: 'pause-info', ...message, info: this.#informer.info(state) });
      }
      case 'cut':
        if (state.run) sync.countForced(state.run.id, Math.max(1, this.beats.of(effect.worker)?.inFlight ?? 1));
        return void port.send(effect.worker, { type: 'cut', epoch });
      case 'kill': {
        const isTold = tellOwner(this.#deps, state, effect.worker);
        return this.#callers.dismissThen(effect.worker, runs, isTold, () => port.kill(effect.worker, effect.why));
      }
      case 'grant':
        this.#reached(state);
        if (state.run?.stage === 'running' && state.run.owner) port.pin(state.run.owner, true);
        return this.#callers.answerClaim(effect.run, {
          value: { run: effect.run } satisfies Replies['claim'],
        });
      case 'refuse':
        // A refused claim never was a run. A refused submission belongs to a run that has ended.
        if (state.run?.id !== effect.run) {
          if (runs.get(effect.run)?.endedAt === undefined) runs.remove(effect.run);
          void sync.discard(effect.run);
        }
        return this.#callers.answerClaim(effect.run, { error: refusal(effect.code, effect.holder) });
      case 'prepare':
        this.#reached(state);
        this.#callers.answerClaim(effect.run, { value: runs.get(effect.run) });
        return sync.prepare(effect.run);
      case 'begin':
        this.#reached(state);
        return sync.write(effect.run, effect.epoch);
      case 'cancel':
        return sync.cancel(effect.run);
      case 'drop':
        return void sync.drop(effect.run).then(() => this.#dispatch({ type: 'dropped', run: effect.run }));
      case 'ended':
        if (before.run?.owner) port.pin(before.run.owner, false);
        return void this.#end(effect.run, effect.error, before);
      case 'persist':
        return void this.#deps.holdFile?.save(durable(state, Date.now(), this.#deps.rules));
      case 'announce':
        return announce(effect, log, this.beats.waitingFor(state));
      case 'moved':
        log.info(
          { from: effect.from, to: effect.to, epoch: effect.epoch, holds: this.holds() },
          `the cluster is ${effect.to}`,
        );
        this.#reached(state);
        this.#deps.onMove?.({ from: effect.from, to: effect.to, epoch: effect.epoch, at: Date.now() });
        return this.#informer.run(effect.to !== 'serving', () => this.state);
      case 'timer':
        return; // the loop handles it
      default:
        return effect satisfies never;
    }
  }

  /** Updates the record of the run to the stage that it has reached. */
  #reached({ run }: State): void {
    if (run === null) return;
    const epoch = run.fence ?? run.epoch;
    this.#deps.sync.reached(run.id, run.stage, epoch);
    this.#deps.runs.update(run.id, { state: stageStates[run.stage], ...(epoch === null ? {} : { epoch }) });
  }

  async #end(id: string, code: ErrorCode | null, before: State): Promise<void> {
    const hosts = this.#deps.agreement?.late?.(id) ?? [];
    const missed = (): Missed => ({ waitingFor: this.beats.waitingFor(before), hosts });
    const error = runError(id, code, this.#deps, before.run, missed);
    if (error !== null) this.#callers.answerClaim(id, { error });
    this.#deps.sync.ended(id, error);
    if (before.run?.epoch !== null) await this.beats.tally(() => this.state); // without a pause no heartbeat follows
    await conclude(id, error, { workers: before.workers.size, refused: this.beats.refused }, this.#deps);
  }

  #tellLease(worker: WorkerRef): void {
    const lease = this.#deps.agreement?.lease ?? null;
    if (lease !== null) this.#deps.port.send(worker, { type: 'lease', epoch: this.state.epoch, ...lease });
  }

  #onRunChange(run: RunRecord): void {
    for (const ref of this.#callers.watchers(run.id))
      this.#deps.port.send(ref, { type: 'run-changed', epoch: this.state.epoch, run });
    // A run that rolls forward may take for ever: its client gets a 202 and can follow the run.
    if (isEnded(run.state) || run.state === 'rolling-forward') this.#callers.ended(run);
    this.#changes.tell();
  }
}
