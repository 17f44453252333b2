/** What those who are no operators may read of a run: no path of somebody else's request, which may be a secret. */
import type { RunRecord, WaitingRequest } from './runs.ts';

/** A problem document as it may be shown to everybody: the requests that it names have their route in place of their path. */
export function publicProblem<T extends object>(problem: T): T {
  const { waitingFor } = problem as { waitingFor?: unknown };
  if (!Array.isArray(waitingFor)) return problem;
  return {
    ...problem,
    waitingFor: (waitingFor as WaitingRequest[]).map((request) => ({ ...request, path: request.route ?? '…' })),
  };
}

export function publicRun(run: RunRecord): RunRecord {
  const { kind, owner, error, report } = run;
  return {
    ...run,
    ...(owner === undefined || kind === 'sync' ? {} : { owner: { ...owner, path: '…' } }),
    ...(error === undefined ? {} : { error: publicProblem(error) }),
    ...(report?.error === undefined ? {} : { report: { ...report, error: publicProblem(report.error) } }),
  };
}
