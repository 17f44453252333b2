import { QuiesceError } from '../../errors.ts';

/** Of an order for all hosts that could not be given. */
export function unreachable(why: string, cause?: unknown): QuiesceError {
  return new QuiesceError(
    'database-unavailable',
    `This host cannot reach the other hosts now (${why}). To hold this one alone: quiesce maintenance on --here`,
    { cause },
  );
}
