/**
 * What a server waits for before it listens: beside the workers of a primary that serves, until the own primary has taken
 * over; on a Unix socket, until nothing dead is in the way.
 */
import { waitsVariable } from '../../protocol/keeper/names.ts';
import { requestTimeout, type Link } from './link.ts';

/** Returns what `trackServers` asks: null where the server may listen at once. */
export function listenWhenAllowed(link: Pick<Link, 'request'>): (path: string | null) => Promise<unknown> | null {
  let waits = process.env[waitsVariable] !== undefined;
  // Not for the children of the app.
  delete process.env[waitsVariable];
  let allowed: Promise<unknown> | null = null;
  const clear = (path: string): Promise<unknown> =>
    // What stays in the way is told of by listen().
    link.request<'clear-socket'>({ op: 'clear-socket', path }, { timeout: requestTimeout }).catch(() => null);
  return (path) => {
    if (!waits) return path === null ? null : clear(path);
    const never = (): Promise<never> => new Promise(() => {}); // the primary has gone, and this worker goes with it
    allowed ??= link.request<'may-listen'>({ op: 'may-listen' }).then(() => (waits = false), never);
    return path === null ? allowed : allowed.then(() => clear(path));
  };
}
