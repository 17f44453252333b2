/**
 * A lock that this process holds: kept fresh, and made again if it was removed.
 *
 *   kept      touched every few seconds.
 *   troubled  it cannot be touched or made: its folder was removed, its file system is read-only or does not answer.
 *             No other primary is involved, so the site serves on, and the next touch tries again.
 *   lost      another process has made a lock in its place. The only state in which this process must end.
 *   yielded   the lock stays and is for the next primary of the same keeper, which adopts it. This process writes nothing more.
 *   released
 *
 * proper-lockfile makes the folder (mkdir is atomic: the process that makes it has the lock, also when it is made
 * again) and touches it. It gives up at the first problem; from then on this class touches a lock that is still ours,
 * until the lock is made again.
 */
import fs, { rmdirSync, rmSync, statSync } from 'node:fs';
import { stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import lockfile from 'proper-lockfile';
import { makeFolders } from './data-dir.ts';
import { guardWrites, writeWhole } from './durable.ts';
import { describeSelf, ownerFile, readOwner } from './lock-owner.ts';
import type { LockOwner } from '../../protocol/lock-owner.ts';
import { QuiesceError } from '../../errors.ts';
import { clock, sleepOffset, sleptSince } from '../../monotonic.ts';

export interface Lock {
  release(): Promise<void>;
  /**
   * Gives it to the next primary of this keeper: it changes its owner and is never free. From now on nothing below the data
   * directory is written here.
   * @throws QuiesceError `lock-lost`
   */
  yield(): Promise<void>;
}

/** Called at any time, but never after `release`. */
export interface LockEvents {
  /** Another process has the lock now. Called once. */
  lost(reason: string): void;
  /** The lock cannot be kept; called at each failed attempt. As far as known, no other process has it. */
  troubled?(error: Error): void;
  /**
   * The lock was touched. `anew`: it was gone and made again, so everything else in the data directory may be gone too.
   */
  kept?(how: { readonly anew: boolean }): void;
}

export interface SeenLock {
  readonly id: string;
  readonly touchedAt: bigint;
}

export const lockFolder = (dataDir: string): string => path.join(dataDir, 'primary.lock');

export function identify(dataDir: string): SeenLock | undefined {
  const found = statSync(lockFolder(dataDir), { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : seenLock(found);
}

function seenLock(found: { ino: bigint; birthtimeNs: bigint; mtimeNs: bigint }): SeenLock {
  return { id: `${found.ino}-${found.birthtimeNs}`, touchedAt: found.mtimeNs };
}

/** A lock is stale after this many missed touches. */
export const staleAfter = 5;
const missed = staleAfter - 1;

interface MadeLock {
  readonly id: string;
  /** Removes it. */
  readonly release: () => Promise<void>;
  /** Leaves it as it is, and does not touch it any more. */
  readonly leave: () => Promise<void>;
}

/** @param every how often the lock is touched, ms. Rejects with ELOCKED if there is a lock. */
export async function makeLock(dataDir: string, every: number, onGivenUp: () => void): Promise<MadeLock> {
  const where = { lockfilePath: lockFolder(dataDir), realpath: false };
  const release = await lockfile.lock(dataDir, {
    ...where,
    stale: staleAfter * every,
    update: every,
    onCompromised: onGivenUp,
  });
  const seen = identify(dataDir);
  if (seen === undefined) throw new Error('the lock vanished while it was made');
  const keep = { ...fs, rmdir: (_folder: string, done: (error: null) => void) => done(null) };
  return { id: seen.id, release, leave: () => lockfile.unlock(dataDir, { ...where, fs: keep }) };
}

export class HeldLock implements Lock {
  readonly #dataDir: string;
  readonly #events: LockEvents;
  readonly #every: number;
  readonly #unguard: () => void;
  readonly #onExit = (): void => this.#remove();
  #id = '';
  /** Null if proper-lockfile does not touch it: it has given it up, or another process has made it. */
  #made: MadeLock | null = null;
  /** While a lock is being made, the one on the disk may already be ours. */
  #isMaking = false;
  #state: 'held' | 'lost' | 'yielded' | 'released' = 'held';
  #timer: NodeJS.Timeout | undefined;
  #touching: Promise<void> = Promise.resolve();
  /** When it was last tried to touch the lock, successfully or not. */
  #tried = { at: clock(), sleepOffset: sleepOffset() };

  private constructor(dataDir: string, events: LockEvents, every: number) {
    this.#dataDir = dataDir;
    this.#events = events;
    this.#every = every;
    this.#unguard = guardWrites(dataDir, () => this.#isLost());
    process.once('exit', this.#onExit);
  }

  /** @param every how often the lock is touched, ms. Rejects with ELOCKED if another process was faster. */
  static async make(dataDir: string, events: LockEvents, every: number): Promise<HeldLock> {
    const lock = new HeldLock(dataDir, events, every);
    try {
      await lock.#make();
    } catch (error) {
      await lock.release();
      throw error;
    }
    lock.#later();
    return lock;
  }

  /** Takes over a lock whose owner has yielded it. */
  static async adopt(dataDir: string, events: LockEvents, every: number, id: string): Promise<HeldLock> {
    const lock = new HeldLock(dataDir, events, every);
    lock.#id = id;
    await lock.#record();
    lock.#later();
    return lock;
  }

  async yield(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#touching;
    try {
      if (this.#state !== 'held' || this.#isLost())
        throw new QuiesceError('lock-lost', `The lock of ${this.#dataDir} was lost: ${this.#holder()}.`);
      await this.#record({ yielded: true });
    } catch (error) {
      if (this.#state === 'held') this.#later(); // it is kept, or found to be lost
      throw error;
    }
    clearTimeout(this.#timer);
    this.#state = 'yielded';
    await this.#made?.leave().catch(() => undefined); // given up already
    this.#made = null;
  }

  async release(): Promise<void> {
    if (this.#state === 'held') this.#state = 'released';
    clearTimeout(this.#timer);
    await this.#touching;
    // Not if a successor has taken over: the lock and the record are now the successor's.
    if (this.#id !== '' && !this.#isLost()) {
      this.#forgetRecord();
      // It rejects if proper-lockfile has given the lock up: the lock is then removed below.
      await this.#made?.release().catch(() => undefined);
      this.#remove();
    }
    this.#unguard();
    process.off('exit', this.#onExit);
  }

  #later(): void {
    this.#timer = setTimeout(() => {
      this.#touching = this.#touch();
    }, this.#every);
    this.#timer.unref();
  }

  async #touch(): Promise<void> {
    try {
      const anew = await this.#keep();
      if (this.#state === 'held') this.#events.kept?.({ anew });
    } catch (error) {
      if (this.#state === 'held') this.#events.troubled?.(error as Error);
    }
    if (this.#state === 'held') this.#later();
  }

  /** Returns whether the lock had to be made again. */
  async #keep(): Promise<boolean> {
    const folder = lockFolder(this.#dataDir);
    const found = await stat(folder, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (this.#state !== 'held') return false;
    // Not by the wall clock, which may be set. While the machine sleeps, others may run that share the data directory.
    const since = clock() - this.#tried.at + sleptSince(this.#tried.sleepOffset);
    this.#tried = { at: clock(), sleepOffset: sleepOffset() };
    // Nobody else can have had the lock within this time: for others it becomes stale later.
    if (found === undefined && since < missed * this.#every) return this.#makeAnew();
    if (found === undefined || seenLock(found).id !== this.#id) {
      this.#lose(found === undefined ? `this process did not run for ${Math.round(since / 1000)} s` : this.#holder());
      return false;
    }
    const now = new Date();
    if (this.#made === null) await utimes(folder, now, now);
    if (readOwner(this.#dataDir)?.lock !== this.#id) await this.#record();
    return false;
  }

  async #makeAnew(): Promise<boolean> {
    makeFolders(this.#dataDir);
    try {
      await this.#make();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      this.#lose(this.#holder());
      return false;
    }
    return true;
  }

  async #make(): Promise<void> {
    this.#isMaking = true;
    try {
      const made = await makeLock(this.#dataDir, this.#every, () => (this.#made = null));
      this.#id = made.id;
      this.#made = made;
    } finally {
      this.#isMaking = false;
    }
    await this.#record();
  }

  async #record(more: Pick<LockOwner, 'yielded'> = {}): Promise<void> {
    await writeWhole(ownerFile(this.#dataDir), `${JSON.stringify({ ...describeSelf(this.#id), ...more })}\n`);
  }

  #lose(reason: string): void {
    this.#state = 'lost';
    this.#events.lost(reason);
  }

  #holder(): string {
    const pid = readOwner(this.#dataDir)?.pid;
    return pid === undefined ? 'another process has it' : `the process with pid ${pid} has it`;
  }

  /**
   * Checked each time, since this process may have been stopped since the last touch. A lock that cannot be read is not
   * lost.
   */
  #isLost(): boolean {
    if (this.#state === 'lost' || this.#state === 'yielded') return true;
    if (this.#isMaking) return false;
    try {
      const seen = identify(this.#dataDir);
      return seen !== undefined && seen.id !== this.#id;
    } catch {
      return false;
    }
  }

  #forgetRecord(): void {
    if (readOwner(this.#dataDir)?.lock === this.#id) rmSync(ownerFile(this.#dataDir), { force: true });
  }

  #remove(): void {
    if (this.#id === '' || this.#isLost()) return;
    try {
      this.#forgetRecord();
      rmdirSync(lockFolder(this.#dataDir));
    } catch {
      // Gone already, or it cannot be removed: the next primary sees that its holder is dead.
    }
  }
}
