/**
 * The lock of a data directory: one primary at a time.
 *
 * `primary.lock`, a folder kept fresh by proper-lockfile, is the lock; `primary.json` says who holds it. Its states:
 *
 *   free      no folder. Whoever makes it first (mkdir is atomic) holds the lock.
 *   held      its holder is alive, or elsewhere and touches the folder every few seconds: everybody else is refused.
 *   orphaned  its holder is dead: taken over at once.
 *   ending    the keeper of its holder is dead, and so it ends at once: waited for, 10 s at most.
 *   stale     not touched for 10 s, whoever holds it (stopped, another container that is gone), or for 30 s where its holder
 *             is seen at work here: taken over.
 *             Its holder notices when it runs again (`lost`) and has to stop the site.
 *
 * The race in a takeover: two find the same dead lock, the first removes it and makes its own, the second then removes
 * that one. So only one process may remove a given lock: whoever made the symbolic link `takeover.<lock>`, which names
 * its maker. A link whose maker died is taken over in the same way.
 */
import { lstatSync, readlinkSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeldLock, identify, lockFolder, staleAfter } from './held-lock.ts';
import type { Lock, LockEvents, SeenLock } from './held-lock.ts';
import { describeSelf, isAtWork, isEnding, lifeOf, readOwner, type LockOwner } from './lock-owner.ts';
import { QuiesceError } from '../../errors.ts';

/** A lock that has not been touched for so long is stale, ms. Its holder touches it much more often. */
const defaultStale = 10_000;

/**
 * @throws QuiesceError `already-running`, naming the pid, or `data-dir-unusable`.
 */
export async function acquireLock(dataDir: string, events: LockEvents, stale = defaultStale): Promise<Lock> {
  const folder = lockFolder(dataDir);
  const touches = new Set<string>();
  // Each turn either ends, or has seen the lock change hands, or has waited.
  const began = Date.now();
  for (;;) {
    const seen = identify(dataDir);
    if (seen !== undefined) {
      const verdict = judge(dataDir, seen, stale);
      if (verdict === 'elsewhere') touches.add(`${seen.id} ${seen.touchedAt}`);
      const patience = verdict === 'ending' ? stale : 2 * stale;
      if (verdict === 'held' || touches.size > 1 || Date.now() - began > patience)
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

/** A holder that is alive here and not stopped waits for a processor: it gets so many times as long. */
const starved = 3;

type Verdict = 'held' | 'free' | 'elsewhere' | 'unnamed' | 'ending';

/** `elsewhere`: only time can tell, by whether it is touched. `unnamed`: its holder has still to write who it is. */
function judge(dataDir: string, { id, touchedAt }: SeenLock, stale: number): Verdict {
  const age = Date.now() - Number(touchedAt / 1_000_000n);
  const owner = readOwner(dataDir);
  const isNamed = owner?.lock === id;
  if (age > stale && !(isNamed && age < starved * stale && isAtWork(owner))) return 'free';
  if (!isNamed) return 'unnamed';
  const life = lifeOf(owner);
  return life === 'alive' ? (isEnding(owner) ? 'ending' : 'held') : life === 'dead' ? 'free' : 'elsewhere';
}

/** False where another process is at it. */
function removeLock(dataDir: string, folder: string, id: string, stale: number): boolean {
  const links = claimTakeover(dataDir, id, stale);
  if (links === undefined) return false;
  try {
    // Looked at again: it may have been removed and made anew before the link was ours. Nothing asynchronous in between.
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

/** The links that give the right to remove lock `id`, all to be removed afterwards. */
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

function makerOf(link: string): Pick<LockOwner, 'pid' | 'startTime' | 'place'> | undefined {
  try {
    const [pid, startTime, place] = JSON.parse(readlinkSync(link)) as [number, string | null, string];
    return { pid, startTime, place };
  } catch {
    // Gone already: that takeover is over.
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
