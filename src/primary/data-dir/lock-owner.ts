/**
 * Who holds the lock of a data directory: a record beside the lock, and whether that process is still alive.
 *
 * A pid means something only in the place (host, boot, pid namespace) it comes from, and may be used again; hence
 * the place and the start time. Off Linux neither is known and the pid alone decides.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';

const ownerRecord = z.object({
  pid: z.int().positive(),
  /** Start time in clock ticks since boot, as /proc has it. */
  startTime: z.string().nullable(),
  place: z.string(),
  /** The lock this record belongs to; an older record says nothing about a newer lock. */
  lock: z.string(),
  since: z.string(),
  /** Who started it and ends it with itself; a primary without a keeper has none. */
  keeper: z.object({ pid: z.int().positive(), startTime: z.string().nullable() }).optional(),
});
export type LockOwner = z.infer<typeof ownerRecord>;

export const ownerFile = (dataDir: string): string => path.join(dataDir, 'primary.json');

let keeper: LockOwner['keeper'];

/** From now on this process says who its keeper is. */
export function keptBy(pid: number): void {
  keeper = { pid, startTime: startTime(pid) };
}

export function describeSelf(lock: string): LockOwner {
  const self = { ...describeProcess(process.pid), lock, since: new Date().toISOString() };
  return keeper === undefined ? self : { ...self, keeper };
}

/** Its keeper has died, so that it ends as well. */
export function isEnding({ keeper: its, place: where }: LockOwner): boolean {
  return its !== undefined && lifeOf({ ...its, place: where }) === 'dead';
}

/** What tells this process from a later one with the same pid. */
export function describeProcess(pid: number): Pick<LockOwner, 'pid' | 'startTime' | 'place'> {
  return { pid, startTime: startTime(pid), place: place() };
}

/** The record in a data directory; undefined where there is none that can be read. */
export function readOwner(dataDir: string): LockOwner | undefined {
  try {
    return ownerRecord.parse(JSON.parse(readFileSync(ownerFile(dataDir), 'utf8')));
  } catch {
    return undefined;
  }
}

/** `elsewhere`: in another container or on another host, where only the age of the lock tells. */
export function lifeOf(owner: Pick<LockOwner, 'pid' | 'startTime' | 'place'>): 'alive' | 'dead' | 'elsewhere' {
  if (owner.place !== place()) return 'elsewhere';
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  const started = startTime(owner.pid);
  return started !== null && owner.startTime !== null && started !== owner.startTime ? 'dead' : 'alive';
}

/** Alive here and not stopped: it runs, or waits for a processor. */
export function isAtWork(owner: Pick<LockOwner, 'pid' | 'startTime' | 'place'>): boolean {
  const [state = ''] = lifeOf(owner) === 'alive' ? statOf(owner.pid) : [];
  return state !== '' && !'TtZX'.includes(state);
}

function startTime(pid: number): string | null {
  const fields = statOf(pid);
  // A zombie holds nothing any more.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? null);
}

/** The fields of proc_pid_stat(5) from the state on; none if it cannot be read. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The field before the state, the program's name, may itself hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function place(): string {
  const read = (what: () => string): string => {
    try {
      return what().trim();
    } catch {
      return '';
    }
  };
  const boot = read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const namespace = read(() => readlinkSync('/proc/self/ns/pid'));
  return [os.hostname(), boot, namespace].join(' ');
}
