/** The one function that changes the maintenance state: `(state, event, now) → {state, effects}`, without side effects. */
import type { ErrorCode } from '../../../errors.ts';
import { changedHold, isUnconditional } from '../../../protocol/hold/operator-hold.ts';
import type { WorkerRef } from '../../ports.ts';
import { Draft, newRun } from './draft.ts';
import { onTimeout } from './deadlines.ts';
import { isRefused, onExec, onExecEnd } from './exec-step.ts';
import { onSchedule, onUnhold } from './scheduled.ts';
import { isDropped, onAgreed, onDropped, onLost, onRefused, onSite } from './site-step.ts';
import { atRest, type Effect, type Event, type Rules, type State, type Time } from './state.ts';
import { keyOf } from '../../worker-ref.ts';

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** @throws Error on a move that the tables do not list: a defect, never the effect of an input */
export function step(state: State, event: Event, now: Time, rules: Rules): Step {
  const draft = new Draft(state, now, rules);
  apply(draft, event);
  draft.settle();
  settleHold(draft);
  return { state: draft.state, effects: draft.effects };
}

function apply(draft: Draft, event: Event): void {
  switch (event.type) {
    case 'forked':
      return draft.setWorker({ ...event.worker, greeted: false, gate: 'shut', mirrored: [] });
    case 'hello':
      return onHello(draft, event.worker);
    case 'drained':
      return onDrained(draft, event.worker, event.epoch);
    case 'beat':
      return onBeat(draft, event);
    case 'gone':
      return onGone(draft, event.worker);
    case 'claim':
      return onClaim(draft, event);
    case 'exec':
      return onExec(draft, event);
    case 'exec-end':
      return onExecEnd(draft, event.run, event.error);
    case 'submit':
      return onSubmit(draft, event.run, event.owner);
    case 'prepared':
      return onPrepared(draft, event.run, event.needsPause);
    case 'recover':
      draft.set({ unfinished: [...draft.state.unfinished, ...event.runs] });
      return draft.recoverNext();
    case 'finished':
      return onFinished(draft, event.run, event.error);
    case 'cancel':
      return onCancel(draft, event.run);
    case 'release':
      return onRelease(draft, event.run, event.owner, event.error);
    case 'hold':
      return onHold(draft, event);
    case 'give-up':
      return onGiveUp(draft, event.waiter);
    case 'schedule':
      return onSchedule(draft, event);
    case 'unhold':
      return onUnhold(draft);
    case 'toggle':
      return draft.state.operator === null ? onHold(draft, { ...bySignal, reason: event.reason }) : draft.unhold();
    case 'site':
      return onSite(draft, event);
    case 'agreed':
      return onAgreed(draft, event);
    case 'refused':
      return onRefused(draft, event);
    case 'lost':
      return onLost(draft, event.run);
    case 'dropped':
      return onDropped(draft, event.run);
    case 'stop':
      return onStop(draft);
    case 'hand-over':
      return draft.set({ handingOver: event.begun });
    case 'timeout':
      return onTimeout(draft, event.timer);
    default:
      return event satisfies never;
  }
}

function onHello(draft: Draft, ref: WorkerRef): void {
  const worker = draft.worker(ref);
  if (worker === undefined) return;
  if (draft.state.phase === 'serving') {
    draft.open({ ...worker, greeted: true });
  } else {
    // A new worker starts shut, so its pause needs no answer. A worker that greets twice keeps its gate.
    draft.setWorker({ ...worker, greeted: true });
    draft.emit({ type: 'pause', worker: ref });
  }
}

function onDrained(draft: Draft, ref: WorkerRef, epoch: number): void {
  const worker = draft.worker(ref);
  if (worker === undefined || epoch !== draft.state.epoch || worker.gate !== 'draining') return;
  draft.setWorker({ ...worker, gate: 'shut' });
}

function onBeat(draft: Draft, event: Extract<Event, { type: 'beat' }>): void {
  const worker = draft.worker(event.worker);
  if (worker === undefined || !worker.greeted) return;
  const { phase, epoch } = draft.state;
  if (phase === 'serving') {
    if (event.gate === 'shut' || event.gate === 'starting') draft.open(worker);
    // Its gate opens after it has heard of all runs of its resume.
    else if (event.epoch === epoch && worker.mirrored.length > 0) draft.setWorker({ ...worker, mirrored: [] });
  } else if (worker.gate === 'draining' || event.gate === 'open' || event.gate === 'starting' || event.epoch < epoch) {
    // Its pause or its answer may be lost; a worker that gets the pause again answers again.
    draft.emit({ type: 'pause', worker: event.worker });
  }
}

function onGone(draft: Draft, ref: WorkerRef): void {
  const workers = new Map(draft.state.workers);
  workers.delete(keyOf(ref));
  draft.set({ workers });
  const { run } = draft;
  if (run?.owner && keyOf(run.owner) === keyOf(ref)) draft.endRun(run.endsWith ?? 'owner-died');
}

function onClaim(draft: Draft, event: Extract<Event, { type: 'claim' }>): void {
  if (isRefused(draft, event.run, draft.worker(event.owner) !== undefined)) return;
  draft.setRun({
    ...newRun,
    id: event.run,
    kind: event.kind,
    stage: 'claimed',
    owner: event.owner,
    timeout: event.timeout ?? null,
  });
  draft.ask('claim');
}

function onSubmit(draft: Draft, id: string, owner: WorkerRef): void {
  const { run } = draft;
  if (
    run?.id !== id ||
    run.stage !== 'claimed' ||
    run.asks !== null ||
    run.owner === null ||
    keyOf(run.owner) !== keyOf(owner)
  ) {
    return draft.emit({ type: 'refuse', run: id, code: 'run-failed', holder: null });
  }
  draft.move('preparing');
  draft.setRun({ ...draft.run!, owner: null, timeout: null });
  draft.timer({ kind: 'run', run: id, stage: 'preparing' }, draft.rules.runTimeout);
  draft.emit({ type: 'prepare', run: id });
}

function onPrepared(draft: Draft, id: string, needsPause: boolean): void {
  const { run } = draft;
  if (run?.id !== id || run.stage !== 'preparing' || run.asks !== null) return;
  draft.ask(needsPause ? 'drain' : 'begin');
}

function onRelease(draft: Draft, id: string, owner: WorkerRef, error: ErrorCode | null): void {
  const { run } = draft;
  if (run?.id !== id || run.owner === null || keyOf(run.owner) !== keyOf(owner)) return;
  draft.endRun(run.endsWith ?? error);
}

type HoldEvent = Extract<Event, { type: 'hold' }>;
const bySignal = { type: 'hold', lasts: null, by: null, waiter: null } as const;

function onHold(draft: Draft, event: HoldEvent): void {
  const { operator } = draft.state;
  draft.hold(changedHold(operator, event, draft.now.wall), waitersWith(draft.state, event.waiter));
}

function waitersWith({ operator, waiters }: State, waiter: number | null): ReadonlySet<number> {
  if (waiter === null || isUnconditional(operator, waiters.size)) return new Set();
  return new Set(waiters).add(waiter);
}

function onGiveUp(draft: Draft, waiter: number): void {
  const waiters = new Set(draft.state.waiters);
  if (!waiters.delete(waiter)) return;
  if (waiters.size === 0) return draft.unhold();
  draft.set({ waiters });
}

/**
 * The cluster is at rest, so the hold is unconditional now. It is durable before the waiting callers get their answer.
 */
function settleHold(draft: Draft): void {
  const { waiters, stopping } = draft.state;
  if (waiters.size === 0 || stopping || !atRest(draft.state)) return;
  draft.set({ waiters: new Set() });
  draft.emit({ type: 'persist' });
}

/** A run that has only been claimed or is draining ends. An accepted feed is finished, and so is work in progress. */
function onStop(draft: Draft): void {
  draft.set({ stopping: true });
  const { run } = draft;
  if (run === null || (run.owner === null && run.exec === null)) return;
  if (run.stage === 'claimed' || run.stage === 'draining') draft.endRun('stopping');
}

/** A run that finishes after it was cancelled still counts as finished. */
function onFinished(draft: Draft, id: string, error: ErrorCode | null): void {
  const { run } = draft;
  if (run?.id !== id || isDropped(run)) return;
  draft.endRun(error === null ? null : (run.endsWith ?? error));
}

function onCancel(draft: Draft, id: string): void {
  const { run } = draft;
  if (run?.id !== id || run.stage === 'ending' || run.asks === 'end') return;
  // The primary cannot stop a command: the hold ends or becomes the operator's, and `quiesce exec` says so.
  if (run.exec !== null) return onExecEnd(draft, id, 'run-cancelled');
  if (run.stage === 'running') return draft.endWork('run-cancelled', `run ${id} was cancelled by an operator`);
  if (run.recovered) return;
  if (run.stage === 'preparing') draft.emit({ type: 'cancel', run: id });
  draft.endRun('run-cancelled');
}
