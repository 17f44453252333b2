/** The error for a request for a run while another run is in progress. */
import { QuiesceError } from '../../errors.ts';

export function runInProgress(run: string): QuiesceError {
  return new QuiesceError(
    'run-in-progress',
    `Run ${run} is going on, and only one may run at a time. Try again when it has ended.`,
    { extra: { run } },
  );
}
