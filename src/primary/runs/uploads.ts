/** Feeds that are still on their way. A worker removes its own, unless it dies. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { spoolPrefix } from '../../protocol/spool-prefix.ts';
import type { WorkerRef } from '../ports.ts';

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
