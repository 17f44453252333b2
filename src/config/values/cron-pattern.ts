/** Checks cron patterns and time zones. */
import { createRequire } from 'node:module';
import type * as croner from 'croner';

/** Whether croner understands this pattern, in this time zone if one is given. */
export function isCronPattern(text: string, timezone?: string): boolean {
  // Loaded here: a worker whose mirrors have no source would load it for nothing.
  const { Cron } = createRequire(import.meta.url)('croner') as typeof croner;
  try {
    // Without a function, Cron only parses.
    const job = new Cron(text, { paused: true, ...(timezone === undefined ? {} : { timezone }) });
    job.nextRun(); // croner looks at the time zone only here
    job.stop();
    return true;
  } catch {
    return false;
  }
}
