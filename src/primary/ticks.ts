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
 * The time of a schedule that has come last. By the schedule and not by the clock: hosts are woken some time after it, each
 * some other time.
 */
export function lastTime(cron: Cron): number {
  return cron.previousRuns(1)[0]?.getTime() ?? Math.floor(Date.now() / 1_000) * 1_000;
}

/**
 * Tries until the answer is known, or the next time of the schedule is there.
 * @throws QuiesceError `database-unavailable`; AbortError
 */
export async function winLastTime(ticks: Ticks, what: string, cron: Cron, signal?: AbortSignal): Promise<boolean> {
  const at = lastTime(cron);
  for (;;) {
    try {
      return await ticks.wins(what, at);
    } catch (error) {
      if ((cron.msToNext() ?? Infinity) < again) throw error;
      await delay(again, undefined, { signal, ref: false });
    }
  }
}
