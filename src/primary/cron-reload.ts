/** Reloads the workers at the times of `cron_restart`. */
import { Cron } from 'croner';
import type { Logger } from 'pino';

/**
 * `cron_restart`: replaces all workers at these times, one after another, without an outage. PM2 restarts them all at
 * once. If a reload is still in progress when the next one is due, the next one is skipped.
 */
export class CronReloads {
  readonly #reload: () => Promise<unknown>;
  readonly #log: Pick<Logger, 'info' | 'error'>;
  #job: Cron | null = null;
  #pattern: string | null = null;

  constructor(reload: () => Promise<unknown>, log: Pick<Logger, 'info' | 'error'>) {
    this.#reload = reload;
    this.#log = log;
  }

  /** Reloads at these times from now on; never if the pattern is null. */
  use(pattern: string | null): void {
    if (pattern === this.#pattern) return;
    this.#job?.stop();
    this.#pattern = pattern;
    this.#job =
      pattern === null ? null : new Cron(pattern, { protect: true, unref: true }, () => this.#atItsTime(pattern));
  }

  async #atItsTime(cron: string): Promise<void> {
    this.#log.info({ cron }, 'time for the reload that cron_restart asks for');
    try {
      await this.#reload();
    } catch (err) {
      this.#log.error({ err, cron }, 'the reload that cron_restart asks for failed; the old workers serve on');
    }
  }
}
