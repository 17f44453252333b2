/** What is left of a run goes with the next start, where it cannot be removed now. */
import type { Logger } from 'pino';

export async function quietly(log: Logger, work: Promise<unknown>, what: string): Promise<void> {
  try {
    await work;
  } catch (error) {
    log.warn({ err: error, what }, 'what is left of a run cannot be removed');
  }
}
