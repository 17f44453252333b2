/**
 * Writes and removes everything in a data directory: whole or not at all, and only while this process holds the lock. A
 * primary that was stopped for too long has a successor; when it runs again, it must not touch the successor's files.
 *
 * Durable means: still there after a power cut.
 */
import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { QuiesceError } from '../../errors.ts';
import { syncDirectory } from '../../sync-directory.ts';

/** For each data directory: whether another process has its lock now. */
const guards = new Map<string, () => boolean>();

/**
 * From now on nothing below `dataDir` is written or removed once `isLost` returns true. Returns a function that ends
 * this.
 */
export function guardWrites(dataDir: string, isLost: () => boolean): () => void {
  guards.set(dataDir, isLost);
  return () => void guards.delete(dataDir);
}

/**
 * Must be called right before a change below a data directory.
 * @throws QuiesceError `lock-lost`
 */
export function mustHold(path: string): void {
  for (const [dataDir, isLost] of guards) {
    if (path.startsWith(dataDir + sep) && isLost())
      throw new QuiesceError('lock-lost', `${path} is left alone: another primary holds ${dataDir}.`);
  }
}

/** Whether this process may write the files in a data directory. */
export function isHeld(dataDir: string): boolean {
  return guards.get(dataDir)?.() !== true;
}

/** Temporary file, fsync, rename, fsync of the directory; only the owner can read it. */
export async function writeDurably(path: string, text: string): Promise<void> {
  await replace(path, text, true);
  await syncDirectory(dirname(path));
}

/** The file is complete at each moment, but perhaps not after a power cut. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await replace(path, text, false);
}

async function replace(path: string, text: string, sync: boolean): Promise<void> {
  mustHold(path);
  const temporary = `${path}.${randomInt(2 ** 47)}`; // no other primary uses it, even one with the same pid elsewhere
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
    await rm(temporary, { force: true }).catch(() => {}); // the first error is the cause
    throw error;
  }
}

/** Only the owner can enter the folder. Syncs also if it exists: its name may not be on the disk yet. */
export async function makeDurably(path: string): Promise<void> {
  mustHold(path);
  await mkdir(path, { recursive: true, mode: 0o700 });
  await syncDirectory(dirname(path));
}

/** Does nothing if there is no such file. */
export async function removeDurably(path: string): Promise<void> {
  await removeHeld(path);
  await syncDirectory(dirname(path));
}

/**
 * Removes a file, or a folder with its content; after a power cut it may be there again. Does nothing if there is none.
 * @throws QuiesceError `lock-lost`: a successor may be using it
 */
export async function removeHeld(path: string): Promise<void> {
  mustHold(path);
  await rm(path, { recursive: true, force: true });
}

/** Removes everything in a folder that is not needed. */
export async function clearFolder(dir: string, isNeeded: (path: string) => boolean = () => false): Promise<void> {
  for (const name of await readdir(dir)) if (!isNeeded(join(dir, name))) await removeHeld(join(dir, name));
}

/** Makes a folder of `.json` files if there is none, and removes what an interrupted write left in it. */
export async function makeJsonFolder(dir: string): Promise<void> {
  await makeDurably(dir);
  await clearFolder(dir, (path) => !/\.json\.\d+$/.test(path));
}

/** The `.json` files of a directory, in order. Changes nothing: a command may read while a primary writes. */
export async function jsonFiles(dir: string): Promise<string[]> {
  return (await readdir(dir)).sort().filter((name) => name.endsWith('.json'));
}
