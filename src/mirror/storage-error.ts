import { QuiesceError } from '../errors.ts';

const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** What went wrong with the files of a run, as our error; leaves others alone. */
export function toStorageError(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  if (full.has(String(error.code))) {
    // What a run keeps in files is written before it changes anything.
    return new QuiesceError(
      'insufficient-storage',
      `There is no room for the prepared feed in the data directory (${String(error.code)}). Nothing was changed. Free some space and send it again.`,
      { cause: error },
    );
  }
  if (error.code === 'ENOENT' && 'path' in error) {
    return new QuiesceError(
      'run-failed',
      `A file of the run is gone: ${String(error.path)}. Something else has removed it; leave the data directory to quiesce, and send the feed again.`,
      { cause: error },
    );
  }
  return error;
}
