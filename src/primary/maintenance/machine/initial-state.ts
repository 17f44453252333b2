/** The maintenance state of a primary that has just started. */
import type { WorkerRef } from '../../ports.ts';
import { keyOf } from '../../worker-ref.ts';
import type { OperatorHold, ScheduledHold, SiteHold, State } from './state.ts';

/** @param former primaries that have handed over, each as one worker: their handlers may be at work until they have gone */
export function initialState(
  epoch: number,
  operator: OperatorHold | null,
  site: SiteHold | null = null,
  scheduled: ScheduledHold | null = null,
  former: readonly WorkerRef[] = [],
): State {
  const isFree = operator === null && site === null;
  const isQuiet = former.length === 0; // there is no other worker yet that could be serving
  return {
    phase: isFree ? 'serving' : isQuiet ? 'quiesced' : 'draining',
    epoch: isFree ? epoch : epoch + 1,
    operator,
    scheduled,
    site,
    waiters: new Set(),
    run: null,
    unfinished: [],
    workers: new Map(former.map((ref) => [keyOf(ref), { ...ref, greeted: false, gate: 'draining', mirrored: [] }])),
    cutting: false,
    stopping: false,
    handingOver: false,
  };
}
