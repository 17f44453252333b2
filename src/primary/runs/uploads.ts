/** Feeds that are still on their way. A worker removes its own, unless it dies. */
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { spoolPrefix } from '../../protocol/spool-prefix.ts';
import type { WorkerRef } from '../ports.ts';

/** Whether it is a file that this worker has spooled: what it names is read, and removed afterwards. */
export function isUploadOf(worker: WorkerRef, path: string, spoolDir: string): boolean {
  return dirname(path) === spoolDir && basename(path).startsWith(spoolPrefix(worker));
}

/** Removes what that worker has spooled and nobody has taken. */
export async function removeUploads(
  spoolDir: string,
  worker: WorkerRef,
  isTaken: (path: string) => boolean,
): Promise<void> {
  for (const name of await readdir(spoolDir)) {
    const path = join(spoolDir, name);
    if (name.startsWith(spoolPrefix(worker)) && !isTaken(path)) await rm(path, { force: true });
  }
}
