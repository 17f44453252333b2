/** Repeats work while the server is unavailable for a while: a restart, a failover. */
import { setTimeout as delay } from 'node:timers/promises';
import { isUnavailable } from '../errors.ts';

const pause = 300;

/**
 * Does the work, and starts it again if the server cannot be reached, until `timeout` ms after the first such failure.
 */
export async function patiently<T>(timeout: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let deadline: number | null = null;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      deadline ??= performance.now() + timeout;
      if (performance.now() > deadline) throw error;
      await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
