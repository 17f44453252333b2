/**
 * How everything in a data directory is written and removed: whole or not at all, and only by whoever holds its lock. A
 * primary that was stopped for too long has a successor, whose files it must leave alone when it goes on.
 *
 * Durable is what is there after a power cut.
 */
import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { QuiesceError } from '../../errors.ts';
import { syncDirectory } from '../../sync-directory.ts';

/** By data directory: whether its lock is somebody else's by now. */
const guards = new Map<string, () => boolean>();

/** From now on nothing below `dataDir` is written or removed once `isLost` says so. Returns how to end that. */
export function guardWrites(dataDir: string, isLost: () => boolean): () => void {
  guards.set(dataDir, isLost);
  return () => void guards.delete(dataDir);
}

/**
 * To be asked right before a change below a data directory.
 * @throws QuiesceError `lock-lost`
 */
export function mustHold(path: string): void {
  for (const [dataDir, isLost] of guards) {
    if (path.startsWith(dataDir + sep) && isLost())
      throw new QuiesceError('lock-lost', `${path} is left alone: another primary holds ${dataDir}.`);
  }
}

/** Whether the files in a data directory are ours to write. */
export function isHeld(dataDir: string): boolean {
  return guards.get(dataDir)?.() !== true;
}

/** Temporary file, fsync, rename, fsync of the directory; only the owner can read it. */
export async function writeDurably(path: string, text: string): Promise<void> {
  await replace(path, text, true);
  await syncDirectory(dirname(path));
}

/** Whole at each moment, but perhaps not after a power cut. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await replace(path, text, false);
}

async function replace(path: string, text: string, sync: boolean): Promise<void> {
  mustHold(path);
  const temporary = `${path}.${randomInt(2 ** 47)}`; // no other primary's, though that may have the same pid elsewhere
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(text);
      if (sync) await file.sync();
    } finally {
      await file.close();
    }
    mustHold(path);
    await promisify(fs.rename)(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first error tells more
    throw error;
  }
}

/** Only the owner can enter it. That it is there already does not tell whether its name is on the disk. */
export async function makeDurably(path: string): Promise<void> {
  mustHold(path);
  await mkdir(path, { recursive: true, mode: 0o700 });
  await syncDirectory(dirname(path));
}

/** Nothing happens where there is no such file. */
export async function removeDurably(path: string): Promise<void> {
  await removeHeld(path);
  await syncDirectory(dirname(path));
}

/**
 * A file, or a folder with all that is in it; perhaps there again after a power cut. Nothing happens where there is none.
 * @throws QuiesceError `lock-lost`: a successor may be using it
 */
export async function removeHeld(path: string): Promise<void> {
  mustHold(path);
  await rm(path, { recursive: true, force: true });
}

/** All that is in a folder and is not needed. */
export async function clearFolder(dir: string, isNeeded: (path: string) => boolean = () => false): Promise<void> {
  for (const name of await readdir(dir)) if (!isNeeded(join(dir, name))) await removeHeld(join(dir, name));
}

/** Makes a folder of `.json` files where there is none. What an interrupted write left in it goes. */
export async function makeJsonFolder(dir: string): Promise<void> {
  await makeDurably(dir);
  await clearFolder(dir, (path) => !/\.json\.\d+$/.test(path));
}

/** The `.json` files of a directory, in order. Changes nothing: a command may read while a primary writes. */
export async function jsonFiles(dir: string): Promise<string[]> {
  return (await readdir(dir)).sort().filter((name) => name.endsWith('.json'));
}
