/** Reports to the primary why this worker is about to end: an error thrown while the app was loaded, or later. */
import type { Link } from './link.ts';

export function reportFailures(link: Link): void {
  // Only a monitor: Node and the app still decide whether the process ends, and what it prints.
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    if (process.listenerCount('uncaughtException') > 0) return;
    // The channel takes a small message at once, so it arrives although the process ends right after.
    link.send({ type: 'failed', epoch: 0, ...describe(error) });
  });
}

function describe(error: unknown): { message: string; code?: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as NodeJS.ErrnoException;
  return {
    message: error.message || error.name,
    ...(typeof code === 'string' ? { code } : {}),
  };
}
