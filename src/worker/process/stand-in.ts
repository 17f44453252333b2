/**
 * A server that accepts nothing more and, to its app, still listens. Its clean-up may close it as it does under plain
 * Node, some time later: `close()` on a server that is closed already calls back with an error.
 */
import type { Server } from 'node:net';

/** What a `net.Server` listens with; not in Node's types. */
interface Handle {
  close(): void;
  ref(): void;
  unref(): void;
  hasRef?(): boolean;
  getsockname?(address: object): number;
}

/** From now on `close()` only waits for the connections; Node does that, as ever. */
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
