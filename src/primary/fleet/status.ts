/** What the fleet looks like from outside: one entry for each process, and one for each slot that waits for its next. */
import type { Heartbeat } from '../../protocol/messages.ts';
import type { WorkerStatus } from '../../protocol/runs.ts';
import type { Fleet } from './state.ts';
import type { WorkerRef } from '../ports.ts';
import { noVitals, type Vitals } from './vitals.ts';

export interface ProcessFacts {
  readonly pid: number | null;
  readonly vitals: Vitals;
  readonly beat: Heartbeat | null;
}

/** @param now ms, on the clock of the fleet */
export function fleetStatus(fleet: Fleet, now: number, facts: (ref: WorkerRef) => ProcessFacts): WorkerStatus[] {
  return fleet.slots.flatMap(({ slot, incarnations, restarts }): WorkerStatus[] => {
    if (incarnations.length === 0) {
      const nothing = { pid: null, inFlight: 0, ...noVitals, eventLoopDelay: 0, uptime: 0 };
      return [{ slot, incarnation: fleet.lastIncarnations[slot] ?? 0, state: 'waiting', restarts, ...nothing }];
    }
    return incarnations.map(({ incarnation, stage, forkedAt }) => {
      const { pid, vitals, beat } = facts({ slot, incarnation });
      return {
        slot,
        incarnation,
        pid,
        state: stage,
        inFlight: beat?.inFlight ?? 0,
        ...vitals,
        eventLoopDelay: beat?.eventLoopDelay ?? 0,
        restarts,
        uptime: Math.max(0, Math.round(now - forkedAt)),
      };
    });
  });
}
