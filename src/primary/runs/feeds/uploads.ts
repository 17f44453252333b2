/** Feeds whose upload is in progress. A worker removes its own, unless it dies. */
import { basename, dirname } from 'node:path';
import { spoolPrefix } from '../../../protocol/feed/spool-prefix.ts';
import { clearFolder } from '../../data-dir/durable.ts';
import type { WorkerRef } from '../../ports.ts';

/** Whether this worker has spooled the file: a file that a worker names is read, and removed afterwards. */
export function isUploadOf(worker: WorkerRef, path: string, spoolDir: string): boolean {
  return dirname(path) === spoolDir && basename(path).startsWith(spoolPrefix(worker));
}

/**
 * Removes what this worker has spooled and not handed over.
 * @throws QuiesceError `lock-lost`: a successor's worker may have this name, and only the successor knows what is taken
 */
export function removeUploads(spoolDir: string, worker: WorkerRef, isTaken: (path: string) => boolean): Promise<void> {
  return clearFolder(spoolDir, (path) => !basename(path).startsWith(spoolPrefix(worker)) || isTaken(path));
}
