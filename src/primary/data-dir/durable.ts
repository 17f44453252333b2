/** Files that are there after a power cut. A rename is durable only when its directory is, too (open(2), fsync(2)). */
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';

/** Temporary file, fsync, rename, fsync of the directory; only the owner can read it. */
export async function writeDurably(path: string, text: string): Promise<void> {
  await writeFileAtomic(path, text, { mode: 0o600 });
  await syncDirectory(dirname(path));
}

/** Only the owner can enter it. That it is there already does not tell whether its name is on the disk. */
export async function makeDurably(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
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

/** The `.json` files of a directory, in order. What an interrupted write left beside them goes. */
export async function jsonFiles(dir: string): Promise<string[]> {
  const names = (await readdir(dir)).sort();
  for (const name of names) if (/\.json\.\d+$/.test(name)) await rm(join(dir, name), { force: true });
  return names.filter((name) => name.endsWith('.json'));
}
