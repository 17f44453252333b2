/** A disk, or the part of it that is ours to use, that has no room. */
import { QuiesceError } from './errors.ts';

const codes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The error of a feed that finds no room; null where this went wrong for another reason. */
export function noRoomFor(what: 'feed' | 'prepared feed', cause: unknown): QuiesceError | null {
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (!codes.has(code)) return null;
  return new QuiesceError(
    'insufficient-storage',
    `There is no room for the ${what} in the data directory (${code}). Nothing was changed. Free some space and send it again.`,
    { cause },
  );
}
