/**
 * How a worker stops without failing a request.
 *
 * accepting ──stop──▶ lingering ──▶ finishing ──(only upgraded connections left)──▶ cleaning up ──▶ exit 0
 *
 * Closing a keep-alive connection races the request that its client may just be sending. So idle connections stay
 * open for a moment, and whatever is or comes in flight on any of them is answered with `Connection: close`
 * (RFC 9112, 9.6): then it is the client that sends nothing more there. The primary's SIGKILL bounds all of it.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { Server } from 'node:net';
import { tracked, type TrackedServer, type TrackedSocket } from './connections.ts';
import { runAppCleanUp } from './signals.ts';

/** How long idle connections stay open, ms, and what share of the grace that may be. */
const longestLinger = 1_000;
const lingerShare = 0.6;
/** Handlers that work on with no connection left are looked after this often, ms. */
const pollEvery = 20;

/**
 * Stops this process; `busy` tells how many requests have a handler that still works, connected or not.
 * @param timeout ms until the primary's SIGKILL
 */
export function stopGracefully(timeout: number, busy: () => number): void {
  const linger = Math.min(longestLinger, timeout * lingerShare);
  // Before anything is closed, so that no request slips through unmarked.
  subscribe('http.server.request.start', (message) => close((message as { response: ServerResponse }).response));
  for (const socket of tracked.sockets) closeAfterTurn(socket);
  for (const session of tracked.sessions) session.close();
  for (const server of tracked.servers) {
    // Not http.Server's own close(), which cuts idle connections at once.
    Server.prototype.close.call(server);
    // For a connection whose response was already under way: it has the same moment once it is idle.
    if (server.keepAliveTimeout !== undefined) server.keepAliveTimeout = linger;
  }
  const lingeringServers = [...tracked.servers];
  const idle = [...tracked.sockets].filter((socket) => !socket._httpMessage);
  const readBefore = new Map(idle.map((socket) => [socket, socket.bytesRead]));
  setTimeout(() => {
    // One that became idle since has its own moment, given by keepAliveTimeout: its next request may be on the way.
    const quiet = (socket: TrackedSocket): boolean => readBefore.get(socket) === socket.bytesRead;
    closeIdle(lingeringServers, quiet);
    // Opened ahead and never used: to node:http these count as active.
    for (const socket of tracked.sockets) if (socket.bytesRead === 0 && quiet(socket)) socket.destroy();
    finish(busy);
  }, linger);
  finish(busy);
}

let finishing = false;

function finish(busy: () => number): void {
  if (finishing) return;
  const idle = (): boolean =>
    busy() === 0 && tracked.sessions.size === 0 && [...tracked.sockets].every((socket) => isUpgraded(socket));
  if (!idle()) {
    const timer = setTimeout(() => finish(busy), pollEvery);
    tracked.onClosed(() => {
      clearTimeout(timer);
      finish(busy);
    });
    return;
  }
  finishing = true;
  cleanUp();
}

/** Upgraded connections, such as WebSockets, are the app's to end, and it may do so in its clean-up. */
function cleanUp(): void {
  const appCleansUp = runAppCleanUp();
  const leave = (): void => {
    if (tracked.sockets.size === 0 && !appCleansUp) process.exit(0);
  };
  tracked.onClosed(leave);
  leave();
}

function isUpgraded(socket: TrackedSocket): boolean {
  return !socket.parser && socket.bytesRead > 0;
}

/** Of the connections that are between two requests, which only node:http knows, those that `also` holds for. */
function closeIdle(servers: readonly TrackedServer[], also: (socket: TrackedSocket) => boolean): void {
  const spared: Partial<TrackedSocket>[] = [...tracked.sockets].filter((socket) => !also(socket));
  for (const socket of spared) socket.destroy = () => socket as TrackedSocket; // for this call only
  for (const server of servers) server.closeIdleConnections?.();
  for (const socket of spared) delete socket.destroy;
}

function close(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

/** Marks the response in flight, or of several that are pipelined the last one: what follows a close is lost. */
function closeAfterTurn(socket: TrackedSocket): void {
  const response = socket._httpMessage;
  if (!response) return;
  if (socket.parser?.incoming === response.req) close(response);
  else response.once('finish', () => closeAfterTurn(socket));
}
