import { Cron } from 'croner';
import type { Logger } from 'pino';

/**
 * `cron_restart`: replaces all workers at these times, one after another, so that nobody notices. PM2 restarts them all
 * at once. A reload that still goes on when the next is due is not joined by another.
 *
 * @returns how to end it.
 */
export function scheduleReloads(
  pattern: string,
  reload: () => Promise<void>,
  log: Pick<Logger, 'info' | 'error'>,
): () => void {
  const job = new Cron(pattern, { protect: true, unref: true }, async () => {
    log.info({ cron: pattern }, 'time for the reload that cron_restart asks for');
    try {
      await reload();
    } catch (err) {
      log.error({ err, cron: pattern }, 'the reload that cron_restart asks for failed; the old workers serve on');
    }
  });
  return () => job.stop();
}
