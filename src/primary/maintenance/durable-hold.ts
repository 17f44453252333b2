/** The part of the maintenance state that outlives a primary. Pure. */
import type { Stored } from './hold-file.ts';
import type { ExecTerms, OperatorHold, Rules, State } from './state.ts';

/**
 * The operator hold that stays if the command of this run fails: the current one without its end, or a new one. Null if
 * none stays.
 */
export function heldOnFailure({ run, operator }: Pick<State, 'run' | 'operator'>, now: number): OperatorHold | null {
  if (run === null || run.exec?.keepOnFailure !== true || run.stage !== 'running' || run.asks === 'end') return null;
  if (operator !== null) return { ...operator, until: null };
  return { ...keptHold(run.id, run.exec), since: now, until: null };
}

/** What the hold says that stays where a command fails. */
export function keptHold(run: string, { reason, by }: ExecTerms): Pick<OperatorHold, 'reason' | 'by'> {
  return { reason: reason ?? `the command of run ${run} has not succeeded`, by };
}

/** What a restart must know. */
export function durable(state: State, now: number, { asksOthers = false }: Pick<Rules, 'asksOthers'>): Stored {
  return { epoch: state.epoch, operator: durableHold(state, now, asksOthers), scheduled: state.scheduled };
}

/** A hold that stands only for its waiters is not stored. */
function durableHold(state: State, now: number, asksOthers: boolean): OperatorHold | null {
  // Several hosts have it in the document that they share.
  const kept = asksOthers ? null : heldOnFailure(state, now);
  return kept ?? (state.waiters.size > 0 ? null : state.operator);
}
