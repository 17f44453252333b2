/** What the fleet looks like from outside: one entry for each process, and one for each slot that waits for its next. */
import type { LastExit, WorkerStatus } from '../../protocol/runs.ts';
import type { Exit, Fleet } from './state.ts';
import type { WorkerRef } from '../ports.ts';
import { withoutCredentials } from '../log/redaction.ts';
import { noVitals, type Vitals } from './vitals.ts';

export interface ProcessFacts {
  readonly pid: number | null;
  readonly vitals: Vitals;
}

/** What the supervisor knows of a worker; what goes on in it is in its heartbeats. */
export type ProcessStatus = Omit<WorkerStatus, 'inFlight' | 'eventLoopDelay'>;

/** @param now ms, on the clock of the fleet */
export function fleetStatus(fleet: Fleet, now: number, facts: (ref: WorkerRef) => ProcessFacts): ProcessStatus[] {
  const timeOf = (at: number): string => new Date(Date.now() + at - now).toISOString();
  return fleet.slots.flatMap(({ slot, incarnations, restarts, lastExit, retryAt }): ProcessStatus[] => {
    const ended = lastExit === null ? {} : { lastExit: exitStatus(lastExit, timeOf) };
    if (incarnations.length === 0) {
      const nothing = { pid: null, ...noVitals, uptime: 0 };
      const next = retryAt === null ? {} : { nextTry: timeOf(retryAt) };
      const incarnation = fleet.lastIncarnations[slot] ?? 0;
      return [{ slot, incarnation, state: 'waiting', restarts, ...nothing, ...ended, ...next }];
    }
    return incarnations.map(({ incarnation, stage, forkedAt }) => {
      const { pid, vitals } = facts({ slot, incarnation });
      return {
        slot,
        incarnation,
        pid,
        state: stage,
        ...vitals,
        restarts,
        uptime: Math.max(0, Math.round(now - forkedAt)),
        ...ended,
      };
    });
  });
}

/** Of what a worker wrote last, characters; the log has it whole. */
const longestReason = 500;

function exitStatus({ reason, at, ...exit }: Exit, timeOf: (at: number) => string): LastExit {
  return {
    ...exit,
    ...(reason === undefined ? {} : { reason: withoutCredentials(reason.slice(-longestReason)) }),
    at: timeOf(at),
  };
}
