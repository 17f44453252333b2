/** The part of a run that everybody may read: no path of another client's request, since it may be a secret. */
import type { RunRecord, WaitingRequest } from './runs.ts';

/** A problem document for everybody: the requests in it have their route in place of their path. */
export function publicProblem<T extends object>(problem: T): T {
  const { waitingFor } = problem as { waitingFor?: unknown };
  if (!Array.isArray(waitingFor)) return problem;
  return {
    ...problem,
    waitingFor: (waitingFor as WaitingRequest[]).map((request) => ({ ...request, path: request.route ?? '…' })),
  };
}

export function publicRun(run: RunRecord): RunRecord {
  const { source: _source, scope: _scope, ...known } = run; // an address inside of a network, the name of a tenant
  const { kind, owner, error, report } = known;
  return {
    ...known,
    ...(owner === undefined || kind === 'sync' ? {} : { owner: { ...owner, path: '…' } }),
    ...(error === undefined ? {} : { error: publicProblem(error) }),
    ...(report?.error === undefined ? {} : { report: { ...report, error: publicProblem(report.error) } }),
  };
}
