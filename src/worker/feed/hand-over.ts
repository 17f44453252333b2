/** Hands a complete feed over to the primary. */
import { toQuiesceError } from '../../errors.ts';
import type { RequestBody } from '../../protocol/workers/messages.ts';
import type { Link } from '../process/link.ts';

/** How long the primary may take to make a feed durable, ms; and how fast it may be expected to be, bytes per ms. */
const patience = 30_000;
const pace = 5_000;

/**
 * Resolves when the primary owns the run. If that takes too long, the run is given back; but the primary may have taken
 * it at that same moment, and then the run continues. So this waits for the primary's answer as long as there is a
 * primary: it would be wrong to report that a run failed while it continues.
 *
 * Rejects with the reason why the feed was refused, or with `no-primary` if the primary is gone.
 */
export async function handOver(
  link: Pick<Link, 'request'>,
  submission: Extract<RequestBody, { op: 'submit' }>,
  instance: string,
  timeout: number = patience + submission.feed.bytes / pace,
): Promise<void> {
  try {
    await link.request<'submit'>(submission, { timeout });
  } catch (error) {
    const problem = toQuiesceError(error, 'run-failed').toProblem(instance);
    const { goesOn } = await link.request<'release'>({ op: 'release', run: submission.run, problem });
    if (!goesOn) throw error;
  }
}
