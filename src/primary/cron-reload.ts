/** Reloads the workers at the times of `cron_restart`. */
import { Cron } from 'croner';
import type { Logger } from 'pino';
import { DueTimes, type Ticks } from './ticks.ts';

/**
 * `cron_restart`: replaces all workers at these times, one after another, without an outage. PM2 restarts them all at
 * once. If a reload is still in progress when the next one is due, the next one is skipped. Of several hosts one wins each
 * time, and reloads all of them.
 */
export class CronReloads {
  readonly #reload: () => Promise<unknown>;
  readonly #log: Pick<Logger, 'info' | 'error'>;
  readonly #times: DueTimes;
  #job: Cron | null = null;
  #pattern: string | null = null;

  constructor(log: Pick<Logger, 'info' | 'error'>, ticks: Ticks, reload: () => Promise<unknown>) {
    this.#times = new DueTimes(ticks, 'cron_restart');
    this.#reload = reload;
    this.#log = log;
  }

  /** Reloads at these times from now on; never if the pattern is null. */
  use(pattern: string | null): void {
    if (pattern === this.#pattern) return;
    this.#job?.stop();
    this.#pattern = pattern;
    this.#job =
      pattern === null
        ? null
        : new Cron(pattern, { protect: true, unref: true }, (job) => this.#atItsTime(job, pattern));
  }

  async #atItsTime(job: Cron, cron: string): Promise<void> {
    try {
      if (!(await this.#times.winLast(job))) return;
    } catch (err) {
      return this.#log.error(
        { err, cron },
        'no host could be agreed on for the reload that cron_restart asks for: it is left out',
      );
    }
    this.#log.info({ cron }, 'time for the reload that cron_restart asks for');
    try {
      await this.#reload();
    } catch (err) {
      this.#log.error({ err, cron }, 'the reload that cron_restart asks for failed; the old workers serve on');
    }
  }
}
