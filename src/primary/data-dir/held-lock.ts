/**
 * A lock that this process holds: kept fresh, and made anew where somebody has removed it.
 *
 *   kept      touched every few seconds.
 *   troubled  it cannot be touched or made: its folder was removed, its file system is read-only or does not answer.
 *             None of that is another primary, so the site serves on, and the next touch tries again.
 *   lost      another process has made a lock in its place. The only state in which this one has to end.
 *   released
 *
 * proper-lockfile makes the folder (mkdir is atomic: whoever makes it has the lock, also where it is made anew) and touches
 * it. It gives a lock up at the first trouble; what is still ours is then touched from here, until it is made anew.
 */
import { rmdirSync, rmSync, statSync } from 'node:fs';
import { stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import lockfile from 'proper-lockfile';
import { makeFolders } from './data-dir.ts';
import { guardWrites, writeWhole } from './durable.ts';
import { describeSelf, ownerFile, readOwner } from './lock-owner.ts';

export interface Lock {
  release(): Promise<void>;
}

/** They come out of nowhere, and never after `release`. */
export interface LockEvents {
  /** The lock is somebody else's now; once. */
  lost(reason: string): void;
  /** It cannot be kept; at each try that fails. Nobody else has it as far as is known. */
  troubled?(error: Error): void;
  /** It was touched. `anew`: it had gone, and with it perhaps all else in the data directory. */
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

/** A lock is stale after `staleAfter` touches that did not come. */
export const staleAfter = 5;
const missed = staleAfter - 1;

interface MadeLock {
  readonly id: string;
  /** Removes it. */
  readonly release: () => Promise<void>;
}

/** @param every how often it is touched, ms. Rejects with ELOCKED where there is one. */
export async function makeLock(dataDir: string, every: number, onGivenUp: () => void): Promise<MadeLock> {
  const release = await lockfile.lock(dataDir, {
    lockfilePath: lockFolder(dataDir),
    realpath: false,
    stale: staleAfter * every,
    update: every,
    onCompromised: onGivenUp,
  });
  const seen = identify(dataDir);
  if (seen === undefined) throw new Error('the lock vanished while it was made');
  return { id: seen.id, release };
}

export class HeldLock implements Lock {
  readonly #dataDir: string;
  readonly #events: LockEvents;
  readonly #every: number;
  readonly #unguard: () => void;
  readonly #onExit = (): void => this.#remove();
  #id = '';
  #release: (() => Promise<void>) | null = null;
  /** While it is made, what is seen there may be it already. */
  #isMaking = false;
  #state: 'held' | 'lost' | 'released' = 'held';
  #timer: NodeJS.Timeout | undefined;
  #touching: Promise<void> = Promise.resolve();
  /** Of the last try to touch it, successful or not. */
  #triedAt = Date.now();

  private constructor(dataDir: string, events: LockEvents, every: number) {
    this.#dataDir = dataDir;
    this.#events = events;
    this.#every = every;
    this.#unguard = guardWrites(dataDir, () => this.#isLost());
    process.once('exit', this.#onExit);
  }

  /** @param every how often it is touched, ms. Rejects with ELOCKED where somebody else was faster. */
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

  async release(): Promise<void> {
    if (this.#state === 'held') this.#state = 'released';
    clearTimeout(this.#timer);
    await this.#touching;
    // Not where a successor has taken over: its lock and its record stand there now.
    if (this.#id !== '' && !this.#isLost()) {
      this.#forgetRecord();
      // Given up already: then it is removed below.
      await this.#release?.().catch(() => undefined);
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

  /** Returns whether it had to be made anew. */
  async #keep(): Promise<boolean> {
    const folder = lockFolder(this.#dataDir);
    const found = await stat(folder, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (this.#state !== 'held') return false;
    const since = Date.now() - this.#triedAt;
    this.#triedAt = Date.now();
    // Within this time nobody can have had it: for others it becomes stale later.
    if (found === undefined && since < missed * this.#every) return this.#makeAnew();
    if (found === undefined || seenLock(found).id !== this.#id) {
      this.#lose(found === undefined ? `this process did not run for ${Math.round(since / 1000)} s` : this.#holder());
      return false;
    }
    const now = new Date();
    if (this.#release === null) await utimes(folder, now, now);
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
      const { id, release } = await makeLock(this.#dataDir, this.#every, () => (this.#release = null));
      this.#id = id;
      this.#release = release;
    } finally {
      this.#isMaking = false;
    }
    await this.#record();
  }

  async #record(): Promise<void> {
    await writeWhole(ownerFile(this.#dataDir), `${JSON.stringify(describeSelf(this.#id))}\n`);
  }

  #lose(reason: string): void {
    this.#state = 'lost';
    this.#events.lost(reason);
  }

  #holder(): string {
    const pid = readOwner(this.#dataDir)?.pid;
    return pid === undefined ? 'another process has it' : `the process with pid ${pid} has it`;
  }

  /** Looked at anew each time: this process may have been stopped since the last touch. What cannot be seen is nobody's. */
  #isLost(): boolean {
    if (this.#state === 'lost') return true;
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
      // Gone, or not to be removed: the next primary sees that its holder is dead.
    }
  }
}
