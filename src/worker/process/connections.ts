/**
 * Tracks the servers and connections of a worker, whatever library the app uses. While the worker runs this costs one
 * set insert and delete per connection, and nothing per request.
 */
import type { Http2Session } from 'node:http2';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { Server, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/** A socket with node:http's own fields: its parser, gone after an upgrade, and the response whose turn it is. */
export type TrackedSocket = Socket & {
  parser?: { incoming?: IncomingMessage | null } | null;
  _httpMessage?: ServerResponse | null;
};
export type TrackedServer = Server & Partial<Pick<HttpServer, 'closeIdleConnections' | 'keepAliveTimeout'>>;

const servers = new Set<TrackedServer>();
const sockets = new Set<TrackedSocket>();
const sessions = new Set<Http2Session>();
let onClosed = (): void => {};

/** Everything that listens or is connected. */
export const tracked = {
  servers: servers as ReadonlySet<TrackedServer>,
  sockets: sockets as ReadonlySet<TrackedSocket>,
  sessions: sessions as ReadonlySet<Http2Session>,
  /** Calls `listener` each time a connection has closed. */
  onClosed(listener: () => void): void {
    onClosed = listener;
  },
};

/**
 * Must be called before any code of the app is loaded. `onListen` gets each server before it listens. `before` gets the
 * path of its Unix socket, null for any other: the server waits for the returned promise, if there is one.
 */
export function trackServers(
  onListen: (server: Server) => void,
  before: (path: string | null) => Promise<unknown> | null,
): void {
  const { listen } = Server.prototype;
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    track(this);
    onListen(this);
    const begin = (): Server => Reflect.apply(listen, this, args) as Server;
    const waits = before(socketPathOf(args[0]));
    if (waits === null) return begin();
    // In a cluster a server does not listen before the primary has answered, either.
    void waits.then(begin);
    return this;
  } as typeof listen;
}

/** Reads the first argument as net.Server does: a number, or a string of digits, is a port. */
function socketPathOf(where: unknown): string | null {
  const path = typeof where === 'object' && where !== null ? (where as { path?: unknown }).path : where;
  return typeof path === 'string' && !/^\d+$/.test(path) ? path : null;
}

function track(server: Server): void {
  if (servers.has(server)) return;
  servers.add(server);
  server.once('close', () => servers.delete(server));
  // Over TLS the outer socket is the one that node:http works with.
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: TrackedSocket) => {
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      onClosed();
    });
  });
  server.on('session', (session: Http2Session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
}
