import { setTimeout as delay } from 'node:timers/promises';
import type { MirrorThread } from '../../mirror/handle.ts';

/** Cancels a run, and resolves with whether the thread has let go of it within `grace` ms. */
export async function letsGo(thread: Pick<MirrorThread, 'cancel'>, run: string, grace: number): Promise<boolean> {
  const patience = new AbortController();
  const cancelled = thread.cancel(run).then(
    () => true,
    () => true, // it has died, and the run with it
  );
  const late = delay(grace, false, { ref: false, signal: patience.signal }).catch(() => false);
  const hasLetGo = await Promise.race([cancelled, late]);
  patience.abort();
  return hasLetGo;
}
