/** Logs a failed clean-up and goes on: the next start removes what is left of a run. */
import type { Logger } from 'pino';

export async function quietly(log: Logger, work: Promise<unknown>, what: string): Promise<void> {
  try {
    await work;
  } catch (error) {
    log.warn({ err: error, what }, 'the files of an ended run cannot be removed');
  }
}
