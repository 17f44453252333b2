/** Orders that a host writes for all hosts, and why it cannot. */
import type { SiteEvent } from '../../cluster/events.ts';
import type { Host } from '../../cluster/host.ts';
import type { Answer } from '../../cluster/store.ts';
import { QuiesceError } from '../../errors.ts';

export function noOthers(): QuiesceError {
  return new QuiesceError('not-found', 'This host is alone: quiesce.cluster.name is not set, and there are no others.');
}

/** The error of an order for all hosts that could not be given. */
export function unreachable(why: string, cause?: unknown): QuiesceError {
  return new QuiesceError(
    'database-unavailable',
    `This host cannot reach the other hosts now (${why}). To hold this one alone: quiesce maintenance on --here`,
    { cause },
  );
}

/**
 * @throws QuiesceError `database-unavailable` where MongoDB does not answer, or this host is not in the cluster; `stopping`
 *   where another primary takes over
 */
export async function order(host: Pick<Host, 'write'>, event: SiteEvent): Promise<Answer> {
  const answer = await host.write(event).catch((cause: Error) => {
    if (cause instanceof QuiesceError && cause.code === 'stopping') throw cause;
    throw unreachable(`MongoDB does not answer: ${cause.message}`, cause);
  });
  if (answer.refused === 'evicted') throw unreachable('it is not in the cluster now');
  return answer;
}
