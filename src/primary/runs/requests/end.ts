/** The errors of a refused claim and of a run that failed. Pure. */
import { QuiesceError, type ErrorCode, type Problem } from '../../../errors.ts';
import { runInProgress } from '../../../protocol/workers/run-in-progress.ts';
import type { RunRecord, WaitingRequest } from '../../../protocol/api/runs.ts';
import type { Rules } from '../../maintenance/machine/state.ts';
import { notAtRest, stillInFlight } from '../../maintenance/holds/still-in-flight.ts';

/** Why a claim or a submission was not granted; `holder` is the run that has the right to run. */
export function refusal(code: ErrorCode, holder: string | null): QuiesceError {
  switch (code) {
    case 'run-in-progress':
      return runInProgress(String(holder));
    case 'stopping':
      return new QuiesceError(
        code,
        'The primary is stopping or being replaced, and begins no new run. Try again in a moment.',
      );
    case 'database-unavailable':
      return new QuiesceError(
        code,
        'This host cannot reach the other hosts of its cluster through MongoDB now, so it begins no run. Try again in a moment.',
      );
    default:
      return lateSubmission(undefined);
  }
}

/** Why a feed is refused whose run has ended, or whose sender does not own the run. */
export function lateSubmission(run: RunRecord | undefined): QuiesceError {
  if (run?.endedAt !== undefined && run.error !== undefined) return QuiesceError.fromProblem(run.error as Problem);
  return new QuiesceError('run-failed', 'The run has ended already, so its feed is not taken. Send it again.');
}

/** What a drain has waited for in vain: requests of this host, and hosts by name. */
export interface Missed {
  readonly waitingFor: readonly WaitingRequest[];
  readonly hosts: readonly string[];
}

/** Why a run failed, if only the code is known. */
export function runFailure(code: ErrorCode, rules: Rules, { waitingFor, hosts }: Missed): QuiesceError {
  switch (code) {
    case 'drain-timeout': {
      // The path of another client's request may be a secret, and anybody may read this text.
      const who = stillInFlight(waitingFor, ({ route }) => route ?? '…');
      const what = hosts.length === 0 ? 'not every request had finished' : 'the hosts had not all come to rest';
      const why = `After ${rules.drainTimeout} ms ${what}, so the run was given up and nothing was changed.`;
      return new QuiesceError(code, `${why}${notAtRest(hosts)}${who}`, { extra: { waitingFor } });
    }
    case 'owner-died':
      return new QuiesceError(code, 'The worker that requested the run died before it was done.');
    case 'run-timeout':
      return new QuiesceError(
        code,
        `The run was not done after ${rules.runTimeout} ms (sync.run_timeout, or the timeout of its handler) and was ended.`,
      );
    case 'run-cancelled':
      return new QuiesceError(
        code,
        'An operator ended the run before it was done. What a feed had written was put back; a handler was stopped with its worker; a command may still be running.',
      );
    case 'upload-timeout':
      return new QuiesceError(
        code,
        `The feed was not complete after ${rules.uploadTimeout} ms (sync.upload_timeout). Nothing was changed.`,
      );
    case 'stopping':
      return new QuiesceError(code, 'The cluster was stopped before the run started to write. Nothing was changed.');
    default:
      return new QuiesceError(code, 'The run failed.');
  }
}

/** `last`: why the run could not be rolled forward. */
export function abandoned(last: Problem | undefined): QuiesceError {
  const why = last === undefined ? '' : ` (${last.detail})`;
  const what = `An operator gave the run up while it was being rolled forward${why}.`;
  return new QuiesceError('run-failed', `${what} The collection may hold a part of it: send a feed to make it whole.`);
}
