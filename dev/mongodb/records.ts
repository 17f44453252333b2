/**
 * A record per running server: whose it is and which folder it works in. A server whose owner and guardian were
 * both killed outright is found by it, and ended by whoever starts the next one. A living owner's is left alone.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import writeFileAtomic from 'write-file-atomic';
import { cacheDir } from './cache.ts';
import { identify, isAlive, mongodsOn, type ProcessIdentity } from './process-identity.ts';

export interface ServerRecord {
  readonly owner: ProcessIdentity;
  readonly dbPath: string;
  /** A folder that goes when the server does. */
  readonly throwAway: string | null;
}

const folder = (): string => cacheDir('running');

export function recordFile(dbPath: string): string {
  return cacheDir('running', `${createHash('sha256').update(dbPath).digest('hex').slice(0, 16)}.json`);
}

/** Written before mongod starts, so that no moment is left in which an orphan would go unnoticed. */
export async function writeRecord(dbPath: string, throwAway: string | null): Promise<void> {
  const owner = await identify(process.pid);
  if (owner === undefined) throw new Error('this process cannot be found in the process table');
  await mkdir(folder(), { recursive: true });
  await writeFileAtomic(recordFile(dbPath), JSON.stringify({ owner, dbPath, throwAway } satisfies ServerRecord));
}

/** The living owner of the server on this folder, if there is one. */
export async function livingOwner(dbPath: string): Promise<number | undefined> {
  const record = await readRecord(recordFile(dbPath));
  return record !== undefined && (await isAlive(record.owner)) ? record.owner.pid : undefined;
}

/** Ends every server whose owner is dead, and removes the folders to be thrown away. */
export async function sweepOrphans(log: (line: string) => void): Promise<void> {
  const names = await readdir(folder()).catch(() => []);
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    const file = cacheDir('running', name);
    const record = await readRecord(file);
    if (record === undefined || (await isAlive(record.owner))) continue;
    for (const pid of await mongodsOn(record.dbPath)) {
      log(`ending mongod ${pid}, left behind by process ${record.owner.pid}`);
      await killAndWait(pid);
    }
    if (record.throwAway !== null) await rm(record.throwAway, { recursive: true, force: true });
    await rm(file, { force: true });
  }
}

/** Undefined also where it cannot be read: a broken record must not keep every later start from working. */
async function readRecord(file: string): Promise<ServerRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ServerRecord;
  } catch {
    return undefined;
  }
}

async function killAndWait(pid: number): Promise<void> {
  const identity = await identify(pid);
  if (identity === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
  for (let waited = 0; waited < 10_000 && (await isAlive(identity)); waited += 20) await delay(20);
}
