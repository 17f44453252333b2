/** The end of a run: why it failed, if it did, and what the history stores. */
import type { Logger } from 'pino';
import { QuiesceError, type ErrorCode, type Problem } from '../../errors.ts';
import type { Rules, Run, State } from '../maintenance/machine/state.ts';
import type { WorkerPort, WorkerRef } from '../ports.ts';
import { keyOf } from '../worker-ref.ts';
import { abandoned, runFailure, type Missed } from './requests/end.ts';
import type { RunStore } from './history/history.ts';
import type { SyncRuns } from './feeds/feed-runs.ts';
import { endState } from './history/report.ts';

export interface ConclusionDeps {
  readonly runs: RunStore;
  readonly sync: SyncRuns;
  readonly rules: Rules;
  readonly log: Logger;
}

/** The names of a run's stages in the history. */
export const stageStates = {
  claimed: 'uploading',
  preparing: 'preparing',
  draining: 'draining',
  running: 'running',
  ending: 'running',
} as const;

/**
 * The error of the run. Uses the error of the process that did the work if it has the same code: that one says more.
 */
export function runError(
  id: string,
  code: ErrorCode | null,
  { runs, sync, rules }: ConclusionDeps,
  run: Pick<Run, 'timeout' | 'exec'> | null,
  missed: () => Missed,
): QuiesceError | null {
  const said = runs.get(id)?.error as Problem | undefined;
  if (sync.isAbandoned(id)) return abandoned(said);
  if (code === null) return null;
  return said?.code === code ? QuiesceError.fromProblem(said) : runFailure(code, ownRules(rules, run), missed());
}

/**
 * Sends the reason to the worker whose handler is stopped, before the worker is killed. False if no reason was sent.
 */
export function tellOwner(
  deps: ConclusionDeps & { readonly port: WorkerPort },
  { run, epoch }: State,
  worker: WorkerRef,
): boolean {
  if (run?.stage !== 'ending' || run.owner === null || keyOf(run.owner) !== keyOf(worker)) return false;
  const error = runError(run.id, run.endsWith, deps, run, () => ({ waitingFor: [], hosts: [] }));
  return (
    error !== null && deps.port.send(worker, { type: 'run-ended', epoch, run: run.id, problem: error.toProblem() })
  );
}

/** The rules with this run's own deadlines, if it has any. */
function ownRules(rules: Rules, run: Pick<Run, 'timeout' | 'exec'> | null): Rules {
  return {
    ...rules,
    runTimeout: run?.timeout ?? rules.runTimeout,
    drainTimeout: run?.exec?.within ?? rules.drainTimeout,
  };
}

export async function conclude(
  id: string,
  error: QuiesceError | null,
  cluster: { readonly workers: number; readonly refused: number },
  { runs, sync, log }: ConclusionDeps,
): Promise<void> {
  const report = sync.report(id, error, cluster);
  await runs.end(id, {
    state: endState({ abandoned: sync.isAbandoned(id) }, error !== null),
    ...(report === null ? {} : { report }),
    ...(error === null ? {} : { error: error.toProblem() }),
  });
  await sync.discard(id);
  if (error === null) log.info({ run: id, report }, `run ${id} succeeded`);
  else log.warn({ run: id, code: error.code, report }, `run ${id} failed: ${error.message}`);
}
