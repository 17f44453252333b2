/** How a run of `quiesce exec` starts and ends. */
import type { ErrorCode } from '../../../errors.ts';
import { newRun, type Draft } from './draft.ts';
import { heldOnFailure } from './durable-hold.ts';
import type { Event } from './state.ts';

/** At most one run at a time, and none during a stop or a handover or for a worker that is gone. */
export function isRefused(draft: Draft, id: string, ownerIsThere: boolean): boolean {
  const { run, stopping, handingOver } = draft.state;
  if (stopping || handingOver || !ownerIsThere) draft.emit({ type: 'refuse', run: id, code: 'stopping', holder: null });
  else if (run !== null) draft.emit({ type: 'refuse', run: id, code: 'run-in-progress', holder: run.id });
  else return false;
  return true;
}

export function onExec(draft: Draft, { run: id, terms }: Extract<Event, { type: 'exec' }>): void {
  if (isRefused(draft, id, true)) return;
  draft.setRun({ ...newRun, id, kind: 'exec', stage: 'claimed', exec: terms });
  draft.ask('claim');
}

/** The hold that stays is set before the run's hold goes: the gates do not open in between. */
export function onExecEnd(draft: Draft, id: string, error: ErrorCode | null): void {
  const { run, state, now, rules } = draft;
  if (run?.id !== id || run.exec === null || run.asks === 'end') return;
  const kept = error === null ? null : heldOnFailure(state, rules, now.wall);
  if (kept !== null) draft.set({ operator: kept, waiters: new Set() });
  if (run.exec.keepOnFailure) draft.emit({ type: 'persist' });
  draft.endRun(error);
}
