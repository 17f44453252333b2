/** What of the maintenance state outlives a primary. Pure. */
import type { Stored } from './hold-file.ts';
import type { OperatorHold, State } from './state.ts';

/**
 * The operator hold that stays where the command of this run fails, or null where none does: the one there is, but
 * without an end, or a new one.
 */
export function heldOnFailure({ run, operator }: Pick<State, 'run' | 'operator'>, now: number): OperatorHold | null {
  if (run === null || run.exec?.keepOnFailure !== true || run.stage !== 'running' || run.asks === 'end') return null;
  if (operator !== null) return { ...operator, until: null };
  const { reason, by } = run.exec;
  return { reason: reason ?? `the command of run ${run.id} has not succeeded`, since: now, until: null, by };
}

/** What a restart has to know of. */
export function durable(state: State, now: number): Stored {
  return { epoch: state.epoch, operator: durableHold(state, now), scheduled: state.scheduled };
}

/** One that stands for its waiters only is nobody's yet. */
function durableHold(state: State, now: number): OperatorHold | null {
  return heldOnFailure(state, now) ?? (state.waiters.size > 0 ? null : state.operator);
}
