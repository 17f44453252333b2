/** Turns errors of the file system during a run into a QuiesceError. */
import { noRoomFor } from '../disk-full.ts';
import { QuiesceError } from '../errors.ts';

/** Returns a QuiesceError for a full disk or a missing file of the run; returns other errors unchanged. */
export function toStorageError(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  // A run writes its files before it changes the collection.
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
