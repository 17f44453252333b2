/**
 * Makes a server accept no more connections while, for the app, it still listens. The app's clean-up may close it
 * later, as under plain Node: `close()` on a server that is closed already calls back with an error.
 */
import type { Server } from 'node:net';

/** The listening handle of a `net.Server`; not in Node's types. */
interface Handle {
  close(): void;
  ref(): void;
  unref(): void;
  hasRef?(): boolean;
  getsockname?(address: object): number;
}

/** From now on `close()` only waits for the connections, as Node's own close() does. */
export function stopAccepting(server: Server): void {
  const listening = server as unknown as { _handle: Handle | null };
  const handle = listening._handle;
  if (handle === null) return;
  const address = server.address();
  const standIn: Handle = { close: nothing, ref: nothing, unref: nothing, hasRef: () => false };
  if (handle.getsockname) standIn.getsockname = (out) => (Object.assign(out, address), 0);
  listening._handle = standIn;
  handle.close();
}

function nothing(): void {}
