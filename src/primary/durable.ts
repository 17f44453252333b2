/** Files that are there after a power cut. A rename is durable only when its directory is, too (open(2), fsync(2)). */
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';

/** Temporary file, fsync, rename, fsync of the directory; only the owner can read it. */
export async function writeDurably(path: string, text: string): Promise<void> {
  await writeFileAtomic(path, text, { mode: 0o600 });
  await syncDirectory(dirname(path));
}

/** Nothing happens where there is no such file. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectory(dirname(path));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
