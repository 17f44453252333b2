/** Delays the end of a response until the work that it reports is done. */
import type { ServerResponse } from 'node:http';

/**
 * Writes go out at once. `end` goes out when the promise that `before` returned has settled, or at once if it returned
 * none. `before` is called one turn after the handler has ended the response: a promise of the handler that is still
 * pending by then may take for ever.
 *
 * @returns a function that sends a delayed end now
 */
export function holdEnd(res: ServerResponse, before: () => Promise<void> | undefined): () => void {
  const { end } = res;
  let held: readonly unknown[] | null = null;
  let open = false;
  const letGo = (): void => {
    if (open) return;
    open = true;
    // Not `end` itself: by now other code may have wrapped it and wait for it.
    if (held !== null) Reflect.apply(res.end, res, held);
  };
  res.end = ((...args: unknown[]) => {
    if (open || res.destroyed) return Reflect.apply(end, res, args);
    if (held === null) {
      held = args;
      setImmediate(() => {
        const wait = before();
        if (wait === undefined) letGo();
        else void wait.finally(letGo);
      });
    }
    return res;
  }) as typeof end;
  return () => {
    if (held !== null) letGo();
  };
}
