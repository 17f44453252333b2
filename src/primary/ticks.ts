/** What is due at a time, and which host of a cluster does it: each would, and one is enough. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cron } from 'croner';

export interface Ticks {
  /**
   * Whether this host does what is due at that time.
   * @param what the same on all hosts
   * @param at epoch ms, the same on all hosts
   * @throws QuiesceError `database-unavailable`
   */
  wins(what: string, at: number): Promise<boolean>;
}

/** Of a host without a cluster. */
export const alone: Ticks = { wins: () => Promise.resolve(true) };

/** How soon it is tried again where the other hosts cannot be reached, ms. */
const again = 5_000;

/**
 * The time of a schedule that has come last, or comes in this very millisecond. By the schedule and not by the clock: hosts
 * are woken some time after it, each some other time.
 */
export function lastTime(cron: Pick<Cron, 'previousRuns'>, now: number = Date.now()): number {
  // What croner calls previous is before the reference.
  return cron.previousRuns(1, new Date(now + 1))[0]?.getTime() ?? Math.floor(now / 1_000) * 1_000;
}

/** The times of one schedule at this host. Each counts once, however often its timer fires: a clock may be set back. */
export class DueTimes {
  readonly #ticks: Ticks;
  readonly #what: string;
  #last: number | null = null;

  /** @param what see {@link Ticks.wins} */
  constructor(ticks: Ticks, what: string) {
    this.#ticks = ticks;
    this.#what = what;
  }

  /**
   * Whether this host does what is due at the time that has come last. Tries until the answer is known, or the next time of
   * the schedule is there.
   * @throws QuiesceError `database-unavailable`; AbortError
   */
  async winLast(cron: Pick<Cron, 'previousRuns' | 'msToNext'>, signal?: AbortSignal): Promise<boolean> {
    const at = lastTime(cron);
    // Only this one is remembered: times that a clock which was far ahead has shown must not bar those of the right one.
    if (at === this.#last) return false;
    this.#last = at;
    for (;;) {
      try {
        return await this.#ticks.wins(this.#what, at);
      } catch (error) {
        if ((cron.msToNext() ?? Infinity) < again) throw error;
        await delay(again, undefined, { signal, ref: false });
      }
    }
  }
}
