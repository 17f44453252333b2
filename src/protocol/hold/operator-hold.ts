/** What operators hold, and how that changes: a hold of one host and one of a cluster of hosts go by the same rules. Pure. */
import type { Pass } from './pass.ts';

export interface OperatorHold {
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** When it ends by itself. */
  readonly until: number | null;
  /** Who asked for it; null where that is not known, as with a signal. */
  readonly by: string | null;
  /** By what somebody passes it. */
  readonly pass?: Pass | undefined;
}

/** An operator hold that is to begin. */
export interface ScheduledHold {
  /** Epoch milliseconds. */
  readonly at: number;
  /** How long it stands from then on, ms; null: until it is turned off. */
  readonly lasts: number | null;
  readonly reason: string | null;
  readonly by: string | null;
  readonly pass?: Pass | undefined;
}

export interface HoldChange {
  /** Without one it keeps the one that it has. */
  readonly reason: string | null;
  /** It ends by itself after so many ms; without, it keeps the end that it has. */
  readonly lasts: number | null;
  readonly by: string | null;
  /** Without one it keeps the one that it has. */
  readonly pass?: Pass | undefined;
}

/** A hold begins, or takes what this says of it. */
export function changedHold(operator: OperatorHold | null, change: HoldChange, now: number): OperatorHold {
  const { lasts } = change;
  const until = lasts === null ? (operator?.until ?? null) : now + lasts;
  const reason = change.reason ?? operator?.reason ?? 'maintenance';
  // The name stands beside the reason: one who changes nothing is not the one who said it.
  const says = operator === null || change.reason !== null || lasts !== null;
  const by = says ? change.by : operator.by;
  const since = operator?.since ?? now;
  const pass = change.pass ?? operator?.pass;
  return { reason, since, until, by, ...(pass && { pass }) };
}

/**
 * The hold that stays after an `exec` whose command is not known to have succeeded: the current one without its end time,
 * or a new one.
 */
export function holdAfterFailure(
  operator: OperatorHold | null,
  { reason, by }: Pick<OperatorHold, 'reason' | 'by'>,
  now: number,
): OperatorHold {
  return operator === null ? { reason, since: now, until: null, by } : { ...operator, until: null };
}

/** Whether the hold stands without anybody waiting for it. It stays so when another caller joins it. */
export function isUnconditional(operator: OperatorHold | null, waiters: number): boolean {
  return operator !== null && waiters === 0;
}

/** The hold once the time of one that is scheduled has come, beside the one there is; null where all of it has passed. */
export function begunHold(scheduled: ScheduledHold, operator: OperatorHold | null, now: number): OperatorHold | null {
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
