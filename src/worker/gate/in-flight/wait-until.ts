/** `waitUntil()`: work that goes on after the response still counts. */
import type { IncomingMessage } from 'node:http';
import { entryOf } from './entry.ts';
import { getRuntime } from '../../process/runtime.ts';

/**
 * Keeps a request in flight until the promise has settled, fulfilled or rejected, as `ExtendableEvent.waitUntil` does
 * in the browser. Does nothing for a request that was never gated.
 *
 * @returns the promise, so that the call can stand around the work
 * @throws Error if the request has settled already: a drain may have ended meanwhile, and the work would be unguarded
 */
export function waitUntil<T>(req: IncomingMessage, promise: PromiseLike<T>): PromiseLike<T> {
  const entry = entryOf(req);
  if (entry !== undefined && !getRuntime().gate.wait(entry, promise)) {
    throw new Error('waitUntil() came too late: the request has settled. Call it before the response has ended.');
  }
  return promise;
}
