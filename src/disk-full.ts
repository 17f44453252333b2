/** Recognizes the errors of a full disk, an exhausted quota and a file size limit. */
import { QuiesceError } from './errors.ts';

const codes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Returns the error for a feed that does not fit on the disk; null if `cause` is a different error. */
export function noRoomFor(what: 'feed' | 'prepared feed', cause: unknown): QuiesceError | null {
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (!codes.has(code)) return null;
  return new QuiesceError(
    'insufficient-storage',
    `There is no room for the ${what} in the data directory (${code}). Nothing was changed. Free some space and send it again.`,
    { cause },
  );
}
