/** The fleet for the status: one entry per process, and one per slot that waits for its next process. */
import type { LastExit, WorkerStatus } from '../../protocol/api/runs.ts';
import type { Exit, Fleet } from './lifecycle/state.ts';
import type { WorkerRef } from '../ports.ts';
import { withoutCredentials } from '../log/redaction.ts';
import { noVitals, type Vitals } from './health/vitals.ts';

export interface ProcessFacts {
  readonly pid: number | null;
  readonly vitals: Vitals;
}

/** What the supervisor knows of a worker; the rest is in the worker's heartbeats. */
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

/** The most characters of a worker's last output; the log has all of it. */
const longestReason = 500;

function exitStatus({ reason, at, ...exit }: Exit, timeOf: (at: number) => string): LastExit {
  return {
    ...exit,
    ...(reason === undefined ? {} : { reason: withoutCredentials(reason.slice(-longestReason)) }),
    at: timeOf(at),
  };
}
