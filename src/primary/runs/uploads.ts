/** Feeds that are still on their way. A worker removes its own, unless it dies. */
import { basename, dirname } from 'node:path';
import { spoolPrefix } from '../../protocol/spool-prefix.ts';
import { clearFolder } from '../data-dir/durable.ts';
import type { WorkerRef } from '../ports.ts';

/** Whether it is a file that this worker has spooled: what it names is read, and removed afterwards. */
export function isUploadOf(worker: WorkerRef, path: string, spoolDir: string): boolean {
  return dirname(path) === spoolDir && basename(path).startsWith(spoolPrefix(worker));
}

/**
 * Removes what that worker has spooled and nobody has taken.
 * @throws QuiesceError `lock-lost`: a successor's worker may be called the same, and it knows what is taken there
 */
export function removeUploads(spoolDir: string, worker: WorkerRef, isTaken: (path: string) => boolean): Promise<void> {
  return clearFolder(spoolDir, (path) => !basename(path).startsWith(spoolPrefix(worker)) || isTaken(path));
}
