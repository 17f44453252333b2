import { noRoomFor } from '../disk-full.ts';
import { QuiesceError } from '../errors.ts';

/** What went wrong with the files of a run, as our error; leaves others alone. */
export function toStorageError(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  // What a run keeps in files is written before it changes anything.
  const noRoom = noRoomFor('prepared feed', error);
  if (noRoom !== null) return noRoom;
  if (error.code === 'ENOENT' && 'path' in error) {
    return new QuiesceError(
      'run-failed',
      `A file of the run is gone: ${String(error.path)}. Something else has removed it; leave the data directory to quiesce, and send the feed again.`,
      { cause: error },
    );
  }
  return error;
}
