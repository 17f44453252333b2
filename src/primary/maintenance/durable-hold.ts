/** The part of the maintenance state that outlives a primary. Pure. */
import type { Stored } from './hold-file.ts';
import type { OperatorHold, State } from './state.ts';

/**
 * The operator hold that stays if the command of this run fails: the current one without its end, or a new one. Null if
 * none stays.
 */
export function heldOnFailure({ run, operator }: Pick<State, 'run' | 'operator'>, now: number): OperatorHold | null {
  if (run === null || run.exec?.keepOnFailure !== true || run.stage !== 'running' || run.asks === 'end') return null;
  if (operator !== null) return { ...operator, until: null };
  const { reason, by } = run.exec;
  return { reason: reason ?? `the command of run ${run.id} has not succeeded`, since: now, until: null, by };
}

/** What a restart must know. */
export function durable(state: State, now: number): Stored {
  return { epoch: state.epoch, operator: durableHold(state, now), scheduled: state.scheduled };
}

/** A hold that stands only for its waiters is not stored. */
function durableHold(state: State, now: number): OperatorHold | null {
  return heldOnFailure(state, now) ?? (state.waiters.size > 0 ? null : state.operator);
}
