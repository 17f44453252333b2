/**
 * Unix sockets that the app listens on (`listen('/run/shop.sock')`). A killed process (a worker of ours, PM2 or plain
 * Node) leaves its socket file behind, and every later listen fails with EADDRINUSE. So each worker asks the primary
 * before it listens on one, and the primary removes a file on which no process answers.
 */
import { unlinkSync, type BigIntStats } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Logger } from 'pino';
import { statusOf } from '../../../file-status.ts';

/** A socket that takes longer to answer, ms, counts as alive. */
const patience = 1_000;

// One at a time: the new socket of the first of several workers must not be taken for the dead one.
let turn: Promise<void> = Promise.resolve();
/**
 * For each path, the socket that a worker has bound since the path was cleared; null until it was seen. A socket is
 * bound before it listens, and until then it refuses connections like a dead one.
 */
const ours = new Map<string, string | null>();

/** Resolves when no dead socket that may be removed is in the way of `listen(socket)`. */
export function clearSocket(socket: string, log: Logger): Promise<void> {
  // The primary binds the socket, so a relative path starts here. An abstract one is no file, and ends with its
  // process.
  if (socket.startsWith('\0')) return Promise.resolve();
  return (turn = turn.then(() => clear(path.resolve(socket), log)));
}

async function clear(socket: string, log: Logger): Promise<void> {
  try {
    const found = ourSocket(socket);
    if (found === undefined) return void ours.set(socket, null);
    // An inode number alone is soon reused.
    const id = `${found.ino} ${found.birthtimeMs}`;
    if (ours.get(socket) === null) ours.set(socket, id);
    if (ours.get(socket) === id || (await answers(socket))) return;
    // Another process may have replaced the file in between.
    if (ourSocket(socket)?.ctimeMs !== found.ctimeMs) return;
    unlinkSync(socket);
    ours.set(socket, null);
    log.warn(
      { socket },
      `${socket} was left behind by a process that was killed; nobody answers on it, so it is removed`,
    );
  } catch (error) {
    log.warn({ err: error, socket }, `${socket} is in the way and cannot be removed, so the app cannot listen on it`);
  }
}

/** Undefined for a socket of another user: it is not ours to remove. */
function ourSocket(socket: string): BigIntStats | undefined {
  const found = statusOf(socket);
  return found?.isSocket() === true && Number(found.uid) === process.geteuid?.() ? found : undefined;
}

/** Only a refused connection proves that no process answers. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = net.connect(socket);
    const settle = (answer: boolean) => (): void => {
      connection.destroy();
      resolve(answer);
    };
    connection.setTimeout(patience, settle(true));
    connection.once('connect', settle(true));
    connection.once('error', (error: NodeJS.ErrnoException) => settle(error.code !== 'ECONNREFUSED')());
  });
}
