/**
 * The part of runs and of the status that everybody may read: no path of a request that a drain waits for, since it may
 * be a secret.
 */
import type { ClusterStatus, RunRecord, WaitingRequest } from './runs.ts';

/** A problem document for everybody: the requests in it have their route in place of their path. */
export function publicProblem<T extends object>(problem: T): T {
  const { waitingFor } = problem as { waitingFor?: unknown };
  if (!Array.isArray(waitingFor)) return problem;
  return { ...problem, waitingFor: (waitingFor as WaitingRequest[]).map(publicRequest) };
}

/** A run, for those who reach the app. */
export function publicRun(run: RunRecord): RunRecord {
  const { source: _source, scope: _scope, ...known } = run; // an address inside of a network, the name of a tenant
  const { kind, owner } = known;
  return runWithoutPaths(owner === undefined || kind === 'sync' ? known : { ...known, owner: { ...owner, path: '…' } });
}

/** A run without the paths of requests that it waited for, for those who reach the admin server and have no token. */
export function runWithoutPaths(run: RunRecord): RunRecord {
  const { error, report } = run;
  return {
    ...run,
    ...(error === undefined ? {} : { error: publicProblem(error) }),
    ...(report?.error === undefined ? {} : { report: { ...report, error: publicProblem(report.error) } }),
  };
}

/** The status, for those who reach the admin server and have no token. */
export function statusWithoutPaths(status: ClusterStatus): ClusterStatus {
  const { run, waitingFor } = status;
  return { ...status, run: run && runWithoutPaths(run), waitingFor: waitingFor.map(publicRequest) };
}

function publicRequest(request: WaitingRequest): WaitingRequest {
  return { ...request, path: request.route ?? '…' };
}
