/**
 * The lock of a data directory: one primary at a time.
 *
 * The lock is `primary.lock`, a folder that proper-lockfile keeps fresh; `primary.json` says who holds it. Its states:
 *
 *   free      no folder. The first process that makes it (mkdir is atomic) holds the lock.
 *   held      its holder is alive, or elsewhere and touches the folder every few seconds: all others are refused.
 *   orphaned  its holder is dead: taken over at once.
 *   yielded   its holder has handed over to the next primary of its keeper, which adopts it; all others are refused.
 *   ending    the keeper of its holder is dead, so the holder ends at once: others wait for that, 10 s at most.
 *   stale     not touched for 10 s, whatever the reason (stopped, container gone), or for 30 s if its holder is seen at
 *             work here: taken over. Its holder notices that when it runs again (`lost`), and must stop the site.
 *
 * The race in a takeover: two processes find the same dead lock, the first removes it and makes its own, and the second
 * then removes the new one. So only one process may remove a given lock: the one that made the symbolic link
 * `takeover.<lock>`, which names its maker. A link whose maker died is taken over in the same way.
 */
import { lstatSync, readlinkSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeldLock, identify, lockFolder, staleAfter } from './held-lock.ts';
import type { Lock, LockEvents, SeenLock } from './held-lock.ts';
import { describeSelf, isAtWork, isEnding, isYieldedToUs, lifeOf, readOwner } from './lock-owner.ts';
import type { LockOwner, ProcessRecord } from '../../protocol/lock-owner.ts';
import { QuiesceError } from '../../errors.ts';
import { clock } from '../../monotonic.ts';

/** A lock that was not touched for this long is stale, ms. Its holder touches it much more often. */
const defaultStale = 10_000;

/** @throws QuiesceError `already-running`, which names the pid, or `data-dir-unusable` */
export async function acquireLock(dataDir: string, events: LockEvents, stale = defaultStale): Promise<Lock> {
  const folder = lockFolder(dataDir);
  const touches = new Set<string>();
  // Each turn ends the loop, sees the lock change hands, or waits.
  const began = clock();
  for (;;) {
    const seen = identify(dataDir);
    if (seen !== undefined) {
      const verdict = judge(dataDir, seen, stale);
      if (verdict === 'elsewhere') touches.add(`${seen.id} ${seen.touchedAt}`);
      if (verdict === 'yielded') {
        const adopted = await adopt(dataDir, events, seen.id, stale);
        if (adopted !== undefined) return adopted;
        await sleep(30);
        continue;
      }
      const patience = verdict === 'ending' ? stale : 2 * stale;
      if (verdict === 'held' || touches.size > 1 || clock() - began > patience)
        throw alreadyRunning(dataDir, readOwner(dataDir));
      if (verdict !== 'free' || !removeLock(dataDir, folder, seen.id, stale)) {
        await sleep(30);
        continue;
      }
    }
    try {
      return await HeldLock.make(dataDir, events, stale / staleAfter);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ELOCKED') {
        throw new QuiesceError(
          'data-dir-unusable',
          `The data directory ${dataDir} cannot be locked: ${(cause as Error).message}.`,
          { cause },
        );
      }
    }
  }
}

/** A holder that is alive here and not stopped only waits for a processor: it gets this many times as long. */
const starved = 3;

type Verdict = 'held' | 'yielded' | 'free' | 'elsewhere' | 'unnamed' | 'ending';

/** `elsewhere`: only later touches can tell whether it lives. `unnamed`: its holder has not written its record yet. */
function judge(dataDir: string, { id, touchedAt }: SeenLock, stale: number): Verdict {
  const age = Date.now() - Number(touchedAt / 1_000_000n);
  const owner = readOwner(dataDir);
  const isNamed = owner?.lock === id;
  if (isNamed && isYieldedToUs(owner)) return 'yielded';
  if (age > stale && !(isNamed && age < starved * stale && isAtWork(owner))) return 'free';
  if (!isNamed) return 'unnamed';
  const life = lifeOf(owner);
  return life === 'alive' ? (isEnding(owner) ? 'ending' : 'held') : life === 'dead' ? 'free' : 'elsewhere';
}

/** Undefined if another process is at it, or has been. */
async function adopt(dataDir: string, events: LockEvents, id: string, stale: number): Promise<HeldLock | undefined> {
  // Its owner may have died since: then a start elsewhere may take the lock for orphaned.
  const links = claimTakeover(dataDir, id, stale);
  if (links === undefined) return undefined;
  try {
    const seen = identify(dataDir);
    if (seen?.id !== id || judge(dataDir, seen, stale) !== 'yielded') return undefined;
    return await HeldLock.adopt(dataDir, events, stale / staleAfter, id);
  } finally {
    for (const link of links) rmSync(link, { force: true });
  }
}

/** False if another process is removing it. */
function removeLock(dataDir: string, folder: string, id: string, stale: number): boolean {
  const links = claimTakeover(dataDir, id, stale);
  if (links === undefined) return false;
  try {
    // Checked again: the lock may have been removed and made again before this link existed. Nothing asynchronous in
    // between.
    const seen = identify(dataDir);
    if (seen?.id === id && judge(dataDir, seen, stale) === 'free') rmdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  } finally {
    for (const link of links) rmSync(link, { force: true });
  }
}

/** The links that give the right to remove lock `id`. The caller must remove all of them afterwards. */
function claimTakeover(dataDir: string, id: string, stale: number): string[] | undefined {
  const links: string[] = [];
  for (let link = path.join(dataDir, `takeover.${id}`); ; link += '+') {
    links.unshift(link);
    const self = describeSelf(id);
    try {
      symlinkSync(JSON.stringify([self.pid, self.startTime, self.place]), link);
      return links;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const maker = makerOf(link);
    if (maker === undefined || lifeOf(maker) === 'alive') return undefined;
    if (
      lifeOf(maker) === 'elsewhere' &&
      Date.now() - (lstatSync(link, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) < stale
    )
      return undefined;
  }
}

function makerOf(link: string): ProcessRecord | undefined {
  try {
    const [pid, startTime, place] = JSON.parse(readlinkSync(link)) as [number, string | null, string];
    return { pid, startTime, place };
  } catch {
    // The link is gone: that takeover has ended.
    return undefined;
  }
}

function alreadyRunning(dataDir: string, owner: LockOwner | undefined): QuiesceError {
  const who =
    owner === undefined ? 'Another primary, just starting,' : `The primary with pid ${owner.pid}${ofKeeper(owner)}`;
  return new QuiesceError(
    'already-running',
    `${who} holds the data directory ${dataDir}. Stop it with \`quiesce stop\`, or give this one its own with --data-dir.`,
    owner === undefined ? {} : { extra: { pid: owner.pid } },
  );
}

function ofKeeper({ keeper }: LockOwner): string {
  return keeper === undefined ? '' : ` (started by \`quiesce start\` with pid ${keeper.pid})`;
}
