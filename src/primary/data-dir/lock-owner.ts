/**
 * Who holds the lock of a data directory: a record beside the lock, and whether that process is still alive.
 *
 * A pid has a meaning only in its place (host, boot, pid namespace), and may be used again; so the record also has the
 * place and the start time. Outside Linux only the host name and the pid are known.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { lockOwner as isLockOwner } from '../../protocol/generated-owner-check.js';
import type { LockOwner, ProcessRecord } from '../../protocol/lock-owner.ts';

export const ownerFile = (dataDir: string): string => path.join(dataDir, 'primary.json');

/** Which host of a cluster this is; not there where it never was one. */
export const hostFile = (dataDir: string): string => path.join(dataDir, 'host.json');

let keeper: LockOwner['keeper'];

/** From now on the record of this process names its keeper. */
export function keptBy(pid: number): void {
  keeper = { pid, startTime: startTime(pid) };
}

export function describeSelf(lock: string): LockOwner {
  const self = { ...describeProcess(process.pid), lock, since: new Date().toISOString() };
  return keeper === undefined ? self : { ...self, keeper };
}

/** It has handed over to the next primary of its keeper, and this is that. */
export function isYieldedToUs({ yielded, keeper: its, place: where }: LockOwner): boolean {
  return (
    yielded === true &&
    keeper !== undefined &&
    its?.pid === keeper.pid &&
    its.startTime === keeper.startTime &&
    where === place()
  );
}

/** The owner's keeper has died, so the owner is ending too. */
export function isEnding({ keeper: its, place: where }: LockOwner): boolean {
  return its !== undefined && lifeOf({ ...its, place: where }) === 'dead';
}

export function describeProcess(pid: number): ProcessRecord {
  return { pid, startTime: startTime(pid), place: place() };
}

/** The record in a data directory; undefined if there is none that can be read. */
export function readOwner(dataDir: string): LockOwner | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(ownerFile(dataDir), 'utf8'));
    return isLockOwner(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** `elsewhere`: in another container or on another host, so only the age of the lock can tell. */
export function lifeOf(owner: ProcessRecord): 'alive' | 'dead' | 'elsewhere' {
  if (owner.place !== place()) return 'elsewhere';
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  const started = startTime(owner.pid);
  return started !== null && owner.startTime !== null && started !== owner.startTime ? 'dead' : 'alive';
}

/** Alive here and not stopped: it runs or waits for a processor. */
export function isAtWork(owner: ProcessRecord): boolean {
  const [state = ''] = lifeOf(owner) === 'alive' ? statOf(owner.pid) : [];
  return state !== '' && !'TtZX'.includes(state);
}

function startTime(pid: number): string | null {
  const fields = statOf(pid);
  // A zombie holds nothing.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? null);
}

/** The fields of proc_pid_stat(5) from the state on; none if it cannot be read. */
export function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The field before the state is the program's name, which may contain spaces and brackets.
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
