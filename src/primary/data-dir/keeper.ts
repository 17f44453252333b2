/**
 * Watches the data directory while the primary runs: reports problems, and writes again what was removed. No problem
 * here ends the primary.
 *
 *   well ⇄ troubled: the lock cannot be touched; reported at once and then every minute.
 */
import type { Logger } from 'pino';
import type { LockEvents } from './held-lock.ts';

export interface KeeperDeps {
  readonly dataDir: string;
  readonly log: Logger;
  readonly lost: (reason: string) => void;
  /** Writes everything that is known into the new folder. */
  readonly restore: () => Promise<void>;
  /** Makes the control socket again if a cleaner of old files removed it alone. */
  readonly mend: () => Promise<void>;
}

/** How often a lasting problem is reported, ms. */
const remind = 60_000;

export class Keeper implements LockEvents {
  readonly lost: (reason: string) => void;
  readonly #deps: KeeperDeps;
  #trouble: string | null = null;
  #toldAt = -Infinity;
  #incomplete = false;
  #working = false;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
    this.lost = deps.lost;
  }

  /** The current problem, in words; null if there is none. */
  get trouble(): string | null {
    return this.#trouble;
  }

  troubled(error: Error): void {
    const { dataDir, log } = this.#deps;
    this.#trouble = `The data directory ${dataDir} cannot be written: ${error.message}. The site serves on; holds, runs and feeds cannot be recorded, and a restart would not know of them.`;
    if (performance.now() - this.#toldAt < remind) return;
    this.#toldAt = performance.now();
    log.error({ err: error }, this.#trouble);
  }

  kept({ anew }: { readonly anew: boolean }): void {
    const { dataDir, log, restore, mend } = this.#deps;
    if (anew) {
      log.error(
        `the data directory ${dataDir} was removed while the app runs; it is made anew, and the site serves on`,
      );
      this.#incomplete = true;
    } else if (this.#trouble !== null && !this.#incomplete)
      log.info(`the data directory ${dataDir} can be written again`);
    if (!this.#incomplete) this.#settle();
    if (this.#working) return;
    this.#working = true;
    (this.#incomplete ? restore() : mend())
      .then(
        () => {
          this.#incomplete = false;
          this.#settle();
        },
        (error: unknown) => this.troubled(error as Error),
      )
      .finally(() => (this.#working = false));
  }

  #settle(): void {
    this.#trouble = null;
    this.#toldAt = -Infinity;
  }
}
