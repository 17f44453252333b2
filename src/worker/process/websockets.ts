/** Which connections are WebSockets, whatever library the app uses, and how they are closed without it. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** How many bytes each had sent before its handshake was answered. */
const sentBefore = new WeakMap<Socket, number>();

/** An unmasked Close frame with the status 1001, going away (RFC 6455, 5.5.1 and 7.4.1). */
const goingAway = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/** To be told of each upgrade before its handler is. */
export function noteUpgrade({ headers }: IncomingMessage, socket: Socket): void {
  if (headers.upgrade?.toLowerCase() === 'websocket') sentBefore.set(socket, socket.bytesWritten);
}

/**
 * Says that the server is going away; a library at either end answers and closes. One that does not is cut off after
 * `patience` ms. Does nothing to what is no WebSocket.
 */
export function closeWebSocket(socket: Socket, patience: number): void {
  const before = sentBefore.get(socket);
  if (before === undefined) return;
  sentBefore.delete(socket);
  // Without an answer to its handshake it is none yet, and a frame would be no answer.
  if (socket.bytesWritten === before || !socket.writable) return void socket.destroy();
  socket.write(goingAway);
  setTimeout(() => socket.destroy(), patience).unref();
}
