/** Cancels runs and limits how long that may take. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { MirrorThread } from '../../../mirror/handle.ts';

/** Cancels a run. Resolves with whether the thread has stopped working on it within `grace` ms. */
export async function letsGo(thread: Pick<MirrorThread, 'cancel'>, run: string, grace: number): Promise<boolean> {
  const patience = new AbortController();
  const cancelled = thread.cancel(run).then(
    () => true,
    () => true, // it has died, and so has the run
  );
  const late = delay(grace, false, { ref: false, signal: patience.signal }).catch(() => false);
  const hasLetGo = await Promise.race([cancelled, late]);
  patience.abort();
  return hasLetGo;
}

/** How long a run in preparation may take to stop, ms. It has made only files, and perhaps a copy. */
const preparationGrace = 2_000;

/** Ends a run that has written nothing yet, together with its thread, which may be busy with a long feed. */
export async function endPreparation(
  thread: Pick<MirrorThread, 'cancel' | 'close'>,
  run: string,
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  const hasLetGo = await letsGo(thread, run, preparationGrace);
  if (!hasLetGo) warnOfStuck(log, run, preparationGrace);
  await thread.close(hasLetGo ? preparationGrace : 0);
}

export function warnOfStuck(log: Pick<Logger, 'warn'>, run: string, grace: number): void {
  log.warn({ run }, `run ${run} could not be cancelled within ${grace} ms: the mirror thread is ended`);
}
