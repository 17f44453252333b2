/** The part of the maintenance state that outlives a primary. Pure. */
import { holdAfterFailure } from '../../../protocol/hold/operator-hold.ts';
import type { ExecTerms, OperatorHold, Rules, ScheduledHold, State } from './state.ts';

export interface Stored {
  readonly epoch: number;
  readonly operator: OperatorHold | null;
  readonly scheduled: ScheduledHold | null;
}

/**
 * The operator hold that stays on this host if the command of this run fails; null if none stays. Several hosts have it in
 * the document that they share.
 */
export function heldOnFailure(
  { run, operator }: Pick<State, 'run' | 'operator'>,
  { asksOthers = false }: Pick<Rules, 'asksOthers'>,
  now: number,
): OperatorHold | null {
  if (asksOthers || run === null || run.exec?.keepOnFailure !== true) return null;
  if (run.stage !== 'running' || run.asks === 'end') return null;
  return holdAfterFailure(operator, keptHold(run.id, run.exec), now);
}

/** What the hold says that stays where a command fails. */
export function keptHold(run: string, { reason, by }: ExecTerms): Pick<OperatorHold, 'reason' | 'by'> {
  return { reason: reason ?? `the command of run ${run} has not succeeded`, by };
}

/** What a restart must know. */
export function durable(state: State, now: number, rules: Pick<Rules, 'asksOthers'>): Stored {
  // A hold that stands only for its waiters is not stored.
  const operator = state.waiters.size > 0 ? null : state.operator;
  return { epoch: state.epoch, operator: heldOnFailure(state, rules, now) ?? operator, scheduled: state.scheduled };
}
