/** What happens when a timer of the maintenance state fires. */
import type { WorkerRef } from '../../ports.ts';
import type { Draft } from './draft.ts';
import { onOverdue, onScheduledTime } from './scheduled.ts';
import { isForRun, type Stage, type State, type Timer } from './state.ts';
import { keyOf, refOf } from '../../worker-ref.ts';

/** How long a worker whose connections were cut may take to settle before it is killed, ms. */
export const cutGrace = 1_000;
/** How long a host waits for the stragglers of other hosts after its own drain timeout, ms. */
const othersGrace = 5_000;

export function onTimeout(draft: Draft, timer: Timer): void {
  switch (timer.kind) {
    case 'operator':
      return draft.state.operator?.until === timer.until ? draft.unhold() : undefined;
    case 'scheduled':
      return onScheduledTime(draft, timer.at);
    case 'overdue':
      return onOverdue(draft, timer.since, timer.hold);
    case 'drain':
      return onDrainTimeout(draft, timer.epoch);
    case 'cut':
      return onCutTimeout(draft, timer.epoch);
    case 'others':
      return onOthersTimeout(draft, timer.epoch);
    case 'run':
      return onRunTimeout(draft, timer.run, timer.stage);
    default:
      return timer satisfies never;
  }
}

function onDrainTimeout(draft: Draft, epoch: number): void {
  const { run, state, rules } = draft;
  const isOwn = run?.stage === 'draining' && run.epoch === epoch && run.asks !== 'end';
  if (isOwn && rules.onDrainTimeout === 'abort' && !run.recovered) return draft.endRun('drain-timeout');
  if (isOwn && rules.asksOthers) draft.timer({ kind: 'others', epoch }, othersGrace);
  if (!isCuttable(state, epoch)) return;
  draft.set({ cutting: true });
  for (const worker of stragglers(state)) draft.emit({ type: 'cut', worker });
  draft.timer({ kind: 'cut', epoch }, cutGrace);
}

/** Whether the drain of this epoch is for a run, of this host or another, and still in progress. */
function isCuttable({ run, site, phase, epoch: newest }: State, epoch: number): boolean {
  if (phase !== 'draining') return false;
  if (run?.epoch === epoch) return run.stage === 'draining' && run.asks !== 'end';
  return newest === epoch && isForRun(site);
}

/** Only the end of its process surely ends a handler. If that is the owner of an exclusive run, the run ends instead. */
function onCutTimeout(draft: Draft, epoch: number): void {
  const { run, state } = draft;
  if (!state.cutting || !isCuttable(state, epoch)) return;
  const left = stragglers(state);
  if (run?.owner && left.some((worker) => keyOf(worker) === keyOf(run.owner!))) return draft.endRun('drain-timeout');
  for (const worker of left)
    draft.emit({ type: 'kill', worker, why: `its requests did not finish in ${draft.drainTimeout} ms` });
}

/** By now the other hosts have cut off their stragglers too, if they could. */
function onOthersTimeout(draft: Draft, epoch: number): void {
  const { run } = draft;
  if (run?.epoch === epoch && run.stage === 'draining' && run.asks === 'begin' && !run.recovered)
    draft.endRun('drain-timeout');
}

function onRunTimeout(draft: Draft, id: string, stage: Stage): void {
  const { run } = draft;
  if (run?.id !== id || run.stage !== stage || run.asks === 'end') return;
  if (stage === 'claimed') return draft.endRun('upload-timeout');
  if (stage === 'preparing') {
    draft.emit({ type: 'cancel', run: id });
    return draft.endRun('run-timeout');
  }
  draft.endWork('run-timeout', `run ${id} passed its deadline`);
}

function stragglers(state: State): WorkerRef[] {
  return [...state.workers.values()].filter((worker) => worker.gate !== 'shut').map(refOf);
}
