/**
 * A lock that this process holds: kept fresh, and made anew where somebody has removed it.
 *
 *   kept      touched every few seconds.
 *   troubled  it cannot be touched or made: its folder was removed, its file system is read-only or does not answer.
 *             None of that is another primary, so the site serves on, and the next touch tries again.
 *   lost      another process has made a lock in its place. The only state in which this one has to end.
 *   released
 *
 * Whoever makes the folder (mkdir is atomic) has the lock, also where it is made anew.
 */
import { mkdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { stat, utimes } from 'node:fs/promises';
import path from 'node:path';
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

/** Returns the id of the new lock. Throws EEXIST where there is one. In one turn: a guard knows each lock by its id. */
export function makeLock(dataDir: string): string {
  mkdirSync(lockFolder(dataDir), { mode: 0o700 });
  const seen = identify(dataDir);
  if (seen === undefined) throw new Error('the lock vanished while it was made');
  return seen.id;
}

export class HeldLock implements Lock {
  readonly #dataDir: string;
  readonly #events: LockEvents;
  readonly #every: number;
  readonly #unguard: () => void;
  readonly #onExit = (): void => this.#remove();
  #id: string;
  #state: 'held' | 'lost' | 'released' = 'held';
  #timer: NodeJS.Timeout | undefined;
  #touching: Promise<void> = Promise.resolve();
  /** Of the last try to touch it, successful or not. */
  #triedAt = Date.now();

  private constructor(dataDir: string, id: string, events: LockEvents, every: number) {
    this.#dataDir = dataDir;
    this.#id = id;
    this.#events = events;
    this.#every = every;
    this.#unguard = guardWrites(dataDir, () => this.#isLost());
    process.once('exit', this.#onExit);
  }

  /** @param every how often it is touched, ms */
  static async of(dataDir: string, id: string, events: LockEvents, every: number): Promise<HeldLock> {
    const lock = new HeldLock(dataDir, id, events, every);
    try {
      await lock.#record();
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
    this.#remove();
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
    await utimes(folder, now, now);
    if (readOwner(this.#dataDir)?.lock !== this.#id) await this.#record();
    return false;
  }

  async #makeAnew(): Promise<boolean> {
    makeFolders(this.#dataDir);
    try {
      this.#id = makeLock(this.#dataDir);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      this.#lose(this.#holder());
      return false;
    }
    await this.#record();
    return true;
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
    try {
      const seen = identify(this.#dataDir);
      return seen !== undefined && seen.id !== this.#id;
    } catch {
      return false;
    }
  }

  /** Not where a successor has taken over: its lock and its record stand there now. */
  #remove(): void {
    if (this.#isLost()) return;
    try {
      if (readOwner(this.#dataDir)?.lock === this.#id) rmSync(ownerFile(this.#dataDir), { force: true });
      rmdirSync(lockFolder(this.#dataDir));
    } catch {
      // Gone, or not to be removed: the next primary sees that its holder is dead.
    }
  }
}
