/** Writes a directory to the disk: without that, a new name in it may not survive a power failure (fsync(2)). */
import { open } from 'node:fs/promises';

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
