/**
 * Stops a worker without failing a request.
 *
 * accepting ──stop──▶ lingering ──▶ finishing ──(only upgraded connections left)──▶ cleaning up ──▶ gone
 *
 * Closing a keep-alive connection races with a request that its client may be sending. So idle connections stay open
 * for a moment, and each response in flight on a connection, or still to come, gets `Connection: close` (RFC 9112,
 * 9.6): then the client sends nothing more there. A connection that is still idle is closed right after the event loop
 * has read what has arrived: with a request that is still unread, because the loop was busy, a connection is not idle.
 *
 * An app with a clean-up decides when the process ends, as under plain Node: it exits, raises its signal, or leaves
 * nothing that keeps the process alive. Without a clean-up the process ends with its last connection. The primary's
 * SIGKILL limits all of this. Some time before it comes the last call: the clean-up starts whatever is in flight,
 * because only the app can end what never ends by itself, such as an event stream. If `kill_timeout` is not set, the last call waits
 * up to 30 s for other requests in flight.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { Server } from 'node:net';
import { afterReading } from '../../after-reading.ts';
import type { Grace } from '../../protocol/workers/messages.ts';
import { isAnswering } from './answering.ts';
import { tracked, type TrackedServer, type TrackedSocket } from './connections.ts';
import { cleanUpSignal, runCleanUp } from './signals.ts';
import { stopAccepting } from './stand-in.ts';
import { closeWebSocket } from './websockets.ts';

/** How long idle connections stay open, ms, and the largest share of the grace for that. */
const longestLinger = 1_000;
const lingerShare = 0.6;
/** The last call comes after this share of the grace. */
const lastCallShare = 0.8;
/** How long the peer of a closed WebSocket may take to answer, ms, and the largest share of the remaining time. */
const longestClosing = 1_000;
const closingShare = 0.5;
/** How often to check for handlers that still work although no connection is left, ms. */
const pollEvery = 20;

/**
 * Stops this process.
 * @param busy returns the number of requests whose handler still works, connected or not
 * @param report tells the primary that this process needs more time to answer, or needs it no longer
 */
export function stopGracefully(
  { timeout, answerTimeout, webSocketTimeout }: Grace,
  busy: () => number,
  report: (answering: boolean) => void,
): void {
  const linger = Math.min(longestLinger, timeout * lingerShare);
  const begun = performance.now();
  let deadline = begun + timeout;
  // Before anything is closed, so that no request slips through unmarked.
  subscribe('http.server.request.start', (message) => close((message as { response: ServerResponse }).response));
  for (const socket of tracked.sockets) closeAfterTurn(socket);
  for (const session of tracked.sessions) session.close();
  for (const server of tracked.servers) {
    stopAccepting(server);
    // Node's own timer would reset a connection whose request has arrived and is still unread.
    if (server.keepAliveTimeout !== undefined) server.keepAliveTimeout = 0;
  }
  const lingeringServers = [...tracked.servers];
  // A connection whose response was already being sent gets the same time once it is idle.
  subscribe('http.server.response.finish', (message) => {
    const { socket } = message as { socket: TrackedSocket };
    const { bytesRead } = socket;
    afterReading(linger, () => {
      if (!socket._httpMessage && socket.bytesRead === bytesRead) socket.destroy();
    }).unref();
  });
  const idle = [...tracked.sockets].filter((socket) => !socket._httpMessage);
  const readBefore = new Map(idle.map((socket) => [socket, socket.bytesRead]));
  const closeWebSockets = (): void => {
    const left = deadline - performance.now();
    for (const socket of tracked.sockets) closeWebSocket(socket, Math.min(longestClosing, left * closingShare));
  };
  const cleanUp = (): void => {
    if (cleanUpOfApp()) return;
    setTimeout(closeWebSockets, Math.max(0, webSocketTimeout - (performance.now() - begun)));
    leaveWithTheLast();
  };
  afterReading(linger, () => {
    // A connection that became idle since then has its own time: a request may be on the way.
    const quiet = (socket: TrackedSocket): boolean => readBefore.get(socket) === socket.bytesRead;
    closeIdle(lingeringServers, quiet);
    // Connections that were opened in advance and never used: node:http counts these as active.
    for (const socket of tracked.sockets) if (socket.bytesRead === 0 && quiet(socket)) socket.destroy();
    finish(busy, cleanUp);
  }).unref();
  const lastCall = (): void => {
    closeWebSockets();
    cleanUpOfApp();
    // A connection whose response the app ends now has no time left to stay open.
    setInterval(() => setImmediate(() => closeIdle(lingeringServers, () => true)), pollEvery).unref();
  };
  const lateLastCall = (): void => {
    const isLate = performance.now() >= begun + answerTimeout * lastCallShare;
    if (!isLate && isAnswering(busy)) return void setTimeout(lateLastCall, pollEvery).unref();
    if (!isLate) {
      deadline = performance.now() + timeout;
      report(false);
    }
    lastCall();
  };
  setTimeout(() => {
    if (answerTimeout <= timeout || !isAnswering(busy)) return lastCall();
    deadline = begun + answerTimeout;
    report(true);
    lateLastCall();
  }, timeout * lastCallShare).unref();
  finish(busy, cleanUp);
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

/** Starts the app's clean-up, once. False if the app has none. */
function cleanUpOfApp(): boolean {
  if (cleaningUp) return true;
  const signal = cleanUpSignal();
  if (signal === undefined) return false;
  cleaningUp = true;
  // From now on only the app keeps the process alive.
  process.channel?.unref();
  runCleanUp(signal);
  return true;
}

/** Exits with the last connection. Upgraded ones other than WebSockets have the whole grace to end by themselves. */
function leaveWithTheLast(): void {
  for (const server of tracked.servers) Server.prototype.close.call(server);
  const leave = (): void => {
    // After the servers have reported to the app that they are closed.
    if (tracked.sockets.size === 0) setImmediate(() => process.exit(0));
  };
  tracked.onClosed(leave);
  leave();
}

function isUpgraded(socket: TrackedSocket): boolean {
  return !socket.parser && socket.bytesRead > 0;
}

/** Closes the connections between two requests, which only node:http knows, if `also` is true for them. */
function closeIdle(servers: readonly TrackedServer[], also: (socket: TrackedSocket) => boolean): void {
  const spared: Partial<TrackedSocket>[] = [...tracked.sockets].filter((socket) => !also(socket));
  for (const socket of spared) socket.destroy = () => socket as TrackedSocket; // for this call only
  for (const server of servers) server.closeIdleConnections?.();
  for (const socket of spared) delete socket.destroy;
}

function close(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

/** Marks the response in flight; of several pipelined ones the last, since a response after a close is lost. */
function closeAfterTurn(socket: TrackedSocket): void {
  const response = socket._httpMessage;
  if (!response) return;
  if (socket.parser?.incoming === response.req) close(response);
  else response.once('finish', () => closeAfterTurn(socket));
}
