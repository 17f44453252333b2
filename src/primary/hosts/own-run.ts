/** The run of this host as its next write to the site document needs it. Pure. */
import type { Outcome } from '../../cluster/events.ts';
import type { OwnRun } from '../../cluster/member.ts';
import { keptHold } from '../maintenance/machine/durable-hold.ts';
import type { Run } from '../maintenance/machine/state.ts';

export interface OfRuns {
  /** Whether every host can fetch the feed of this run. */
  readonly isShared: (run: string) => boolean;
  /** What became of a feed, and of which collection; null where none was accepted. */
  readonly outcome: (run: string, hasFailed: boolean) => Outcome | null;
}

export function ownRunOf(
  { id, kind, asks, recovered, exec, stage, endsWith }: Run,
  { isShared, outcome }: OfRuns,
): OwnRun {
  const keeps = exec?.keepOnFailure === true ? { keeps: keptHold(id, exec) } : {};
  const hasBegun = stage === 'running' || stage === 'ending';
  const shared = isShared(id) ? { shared: true } : {};
  const mirrored = kind === 'sync' && hasBegun && asks === 'end' ? outcome(id, endsWith !== null) : null;
  const told = mirrored === null ? {} : { mirrored };
  const failed = hasBegun && endsWith !== null;
  return { id, kind, wants: asks, isTakenOver: recovered, ...shared, failed, ...told, ...keeps };
}
