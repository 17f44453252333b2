/** Recognises WebSocket connections, whatever library the app uses, and closes them without it. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** The number of bytes sent on each connection before its handshake was answered. */
const sentBefore = new WeakMap<Socket, number>();

/** An unmasked Close frame with the status 1001, going away (RFC 6455, 5.5.1 and 7.4.1). */
const goingAway = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/** Call this for each upgrade before its handler runs. */
export function noteUpgrade({ headers }: IncomingMessage, socket: Socket): void {
  if (headers.upgrade?.toLowerCase() === 'websocket') sentBefore.set(socket, socket.bytesWritten);
}

/**
 * Sends a Close frame: the server is going away. A library at the other end answers and closes. A connection that stays
 * open is cut off after `patience` ms. Does nothing to other connections.
 */
export function closeWebSocket(socket: Socket, patience: number): void {
  const before = sentBefore.get(socket);
  if (before === undefined) return;
  sentBefore.delete(socket);
  // Before its handshake is answered it is not a WebSocket yet, and a frame would not be a valid answer.
  if (socket.bytesWritten === before || !socket.writable) return void socket.destroy();
  socket.write(goingAway);
  setTimeout(() => socket.destroy(), patience).unref();
}
