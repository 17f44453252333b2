/**
 * An operator hold that begins later: none → scheduled → begun, and from then on it is an operator hold like any other;
 * scheduled → none where an operator ends it before, or where its whole time has passed while nobody was there to begin it.
 */
import type { Draft } from './draft.ts';
import type { Event, OperatorHold, ScheduledHold } from './state.ts';

/** The operator hold once this time has come, beside the one there is; null where all of it has passed. */
export function holdOf(scheduled: ScheduledHold, operator: OperatorHold | null, now: number): OperatorHold | null {
  const { at, lasts, reason, by, pass } = scheduled;
  const until = lasts === null ? null : at + lasts;
  if (until !== null && until <= now) return null;
  if (operator === null) return { reason: reason ?? 'maintenance', since: now, until, by, ...(pass && { pass }) };
  return {
    ...operator,
    ...(reason === null ? {} : { reason, by }),
    ...(pass && { pass }),
    // Both want the site held: it is, as long as either does.
    until: until === null || operator.until === null ? null : Math.max(until, operator.until),
  };
}

/** It takes the place of the one that is scheduled already. */
export function onSchedule(draft: Draft, { hold }: Extract<Event, { type: 'schedule' }>): void {
  draft.set({ scheduled: hold });
  draft.emit({ type: 'persist' });
  draft.emit({ type: 'timer', timer: { kind: 'scheduled', at: hold.at }, at: hold.at });
}

/** `off` ends both: the hold that stands and the one to come. */
export function onUnhold(draft: Draft): void {
  const { scheduled, operator } = draft.state;
  if (scheduled !== null) draft.set({ scheduled: null });
  if (operator !== null) draft.unhold();
  else if (scheduled !== null) draft.emit({ type: 'persist' });
}

export function onScheduledTime(draft: Draft, at: number): void {
  const { scheduled, operator } = draft.state;
  if (scheduled?.at !== at) return;
  const hold = holdOf(scheduled, operator, draft.now.wall);
  draft.set({ scheduled: null });
  draft.emit({ type: 'announce', what: hold === null ? 'missed' : 'begun', hold: scheduled });
  if (hold === null) return draft.emit({ type: 'persist' });
  draft.timer({ kind: 'overdue', since: hold.since, hold: scheduled }, draft.drainTimeout);
  draft.hold(hold, new Set());
}

/** Nobody waits for a scheduled hold to come to rest, so it stays; but somebody should know. */
export function onOverdue(draft: Draft, since: number, hold: ScheduledHold): void {
  if (draft.state.operator?.since === since && draft.state.phase === 'draining')
    draft.emit({ type: 'announce', what: 'overdue', hold });
}
