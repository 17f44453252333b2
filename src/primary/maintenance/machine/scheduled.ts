/**
 * An operator hold that starts later: none → scheduled → started, and then it is an operator hold like any other; or
 * scheduled → none, if an operator ends it first, or if its whole time passes while no primary runs.
 */
import type { Draft } from './draft.ts';
import { begunHold } from '../../../protocol/hold/operator-hold.ts';
import type { Event, ScheduledHold } from './state.ts';

/** Replaces a hold that is already scheduled. */
export function onSchedule(draft: Draft, { hold }: Extract<Event, { type: 'schedule' }>): void {
  draft.set({ scheduled: hold });
  draft.emit({ type: 'persist' });
  draft.emit({ type: 'timer', timer: { kind: 'scheduled', at: hold.at }, at: hold.at });
}

/** `off` ends both the current hold and the scheduled one. */
export function onUnhold(draft: Draft): void {
  const { scheduled, operator } = draft.state;
  if (scheduled !== null) draft.set({ scheduled: null });
  if (operator !== null) draft.unhold();
  else if (scheduled !== null) draft.emit({ type: 'persist' });
}

export function onScheduledTime(draft: Draft, at: number): void {
  const { scheduled, operator } = draft.state;
  if (scheduled?.at !== at) return;
  const hold = begunHold(scheduled, operator, draft.now.wall);
  draft.set({ scheduled: null });
  draft.emit({ type: 'announce', what: hold === null ? 'missed' : 'begun', hold: scheduled });
  if (hold === null) return draft.emit({ type: 'persist' });
  draft.timer({ kind: 'overdue', since: hold.since, hold: scheduled }, draft.drainTimeout);
  draft.hold(hold, new Set());
}

/** No caller waits for a scheduled hold to come to rest, so it stays; but the log must say so. */
export function onOverdue(draft: Draft, since: number, hold: ScheduledHold): void {
  if (draft.state.operator?.since === since && draft.state.phase === 'draining')
    draft.emit({ type: 'announce', what: 'overdue', hold });
}
