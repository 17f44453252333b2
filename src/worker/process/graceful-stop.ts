/**
 * How a worker stops without failing a request.
 *
 * accepting ──stop──▶ lingering ──▶ finishing ──(only upgraded connections left)──▶ cleaning up ──▶ gone
 *
 * Closing a keep-alive connection races the request that its client may just be sending. So idle connections stay
 * open for a moment, and whatever is or comes in flight on any of them is answered with `Connection: close`
 * (RFC 9112, 9.6): then it is the client that sends nothing more there. What is still idle is closed right after the
 * event loop has read what has arrived: a request that waits there unread, since the loop was busy, is no idle connection.
 *
 * An app that has a clean-up decides when it is gone, as under plain Node: it exits, raises its signal, or leaves
 * nothing that keeps a process. One that has none is gone with its last connection. The primary's SIGKILL bounds all
 * of it, and a while before that comes the last call: the clean-up begins whatever is in flight, since what never ends by
 * itself, such as an event stream, is the app's to end.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { Server } from 'node:net';
import { tracked, type TrackedServer, type TrackedSocket } from './connections.ts';
import { cleanUpSignal, runCleanUp } from './signals.ts';
import { stopAccepting } from './stand-in.ts';
import { closeWebSocket } from './websockets.ts';

/** How long idle connections stay open, ms, and what share of the grace that may be. */
const longestLinger = 1_000;
const lingerShare = 0.6;
/** The share of the grace after which the last call comes. */
const lastCallShare = 0.8;
/** How long the other end of a WebSocket that is closed has to answer, ms, and what share of what is left a client may take. */
const longestClosing = 1_000;
const closingShare = 0.5;
/** Handlers that work on with no connection left are looked after this often, ms. */
const pollEvery = 20;

export interface Grace {
  /** ms until the primary's SIGKILL. */
  readonly timeout: number;
  /** ms that WebSockets stay open where the app has no clean-up that would close them. */
  readonly webSocketTimeout: number;
}

/** Stops this process; `busy` tells how many requests have a handler that still works, connected or not. */
export function stopGracefully({ timeout, webSocketTimeout }: Grace, busy: () => number): void {
  const linger = Math.min(longestLinger, timeout * lingerShare);
  const begun = performance.now();
  // Before anything is closed, so that no request slips through unmarked.
  subscribe('http.server.request.start', (message) => close((message as { response: ServerResponse }).response));
  for (const socket of tracked.sockets) closeAfterTurn(socket);
  for (const session of tracked.sessions) session.close();
  for (const server of tracked.servers) {
    stopAccepting(server);
    // For a connection whose response was already under way: it has the same moment once it is idle.
    if (server.keepAliveTimeout !== undefined) server.keepAliveTimeout = linger;
    if (server.keepAliveTimeoutBuffer !== undefined) server.keepAliveTimeoutBuffer = 0; // Node adds it
  }
  const lingeringServers = [...tracked.servers];
  const idle = [...tracked.sockets].filter((socket) => !socket._httpMessage);
  const readBefore = new Map(idle.map((socket) => [socket, socket.bytesRead]));
  const closeWebSockets = (): void => {
    const left = timeout - (performance.now() - begun);
    for (const socket of tracked.sockets) closeWebSocket(socket, Math.min(longestClosing, left * closingShare));
  };
  const cleanUp = (): void => {
    if (cleanUpOfApp()) return;
    setTimeout(closeWebSockets, Math.max(0, webSocketTimeout - (performance.now() - begun)));
    leaveWithTheLast();
  };
  afterReading(linger, () => {
    // One that became idle since has its own moment, given by keepAliveTimeout: its next request may be on the way.
    const quiet = (socket: TrackedSocket): boolean => readBefore.get(socket) === socket.bytesRead;
    closeIdle(lingeringServers, quiet);
    // Opened ahead and never used: to node:http these count as active.
    for (const socket of tracked.sockets) if (socket.bytesRead === 0 && quiet(socket)) socket.destroy();
    finish(busy, cleanUp);
  });
  setTimeout(() => {
    closeWebSockets();
    cleanUpOfApp();
    // What the app ends now has no time left to linger.
    setInterval(() => setImmediate(() => closeIdle(lingeringServers, () => true)), pollEvery).unref();
  }, timeout * lastCallShare).unref();
  finish(busy, cleanUp);
}

/** Timers are called before the connections are read; what follows on one here comes after that. */
function afterReading(ms: number, callback: () => void): void {
  setTimeout(() => setImmediate(callback), ms).unref();
}

let finishing = false;

function finish(busy: () => number, then: () => void): void {
  if (finishing) return;
  const idle = (): boolean =>
    busy() === 0 && tracked.sessions.size === 0 && [...tracked.sockets].every((socket) => isUpgraded(socket));
  if (!idle()) {
    const timer = setTimeout(() => finish(busy, then), pollEvery);
    tracked.onClosed(() => {
      clearTimeout(timer);
      finish(busy, then);
    });
    return;
  }
  finishing = true;
  then();
}

let cleaningUp = false;

/** Begins it, once. False where the app has none. */
function cleanUpOfApp(): boolean {
  if (cleaningUp) return true;
  const signal = cleanUpSignal();
  if (signal === undefined) return false;
  cleaningUp = true;
  // What keeps the process from now on is the app's.
  process.channel?.unref();
  runCleanUp(signal);
  return true;
}

/** Upgraded connections that are no WebSockets have the whole grace to end by themselves. */
function leaveWithTheLast(): void {
  for (const server of tracked.servers) Server.prototype.close.call(server);
  const leave = (): void => {
    // Not before the servers have told the app that they are closed.
    if (tracked.sockets.size === 0) setImmediate(() => process.exit(0));
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
