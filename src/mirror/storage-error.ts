import { QuiesceError } from '../errors.ts';

const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** A disk that is full, as our error; leaves others alone. What a run keeps in files is written before it changes anything. */
export function toStorageError(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error && full.has(String(error.code)))) return error;
  return new QuiesceError(
    'insufficient-storage',
    `There is no room for the prepared feed in the data directory (${String(error.code)}). Nothing was changed. Free some space and send it again.`,
    { cause: error },
  );
}
