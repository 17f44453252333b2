/**
 * Unix sockets that the app listens on (`listen('/run/shop.sock')`). A process that was killed leaves its file behind,
 * be it a worker of ours, PM2 or plain Node, and whoever listens next would end with EADDRINUSE, for ever. So each
 * worker asks before it listens on one, and a file that nobody answers on is removed.
 */
import { lstatSync, unlinkSync, type Stats } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Logger } from 'pino';

/** How long a socket may take to answer before it counts as one that does, ms. */
const patience = 1_000;

// One at a time: the socket that the first of several workers listens on must not be taken for the dead one.
let turn: Promise<void> = Promise.resolve();
/**
 * By path the socket that a worker has got since the path was clear; null until it has been seen. It is bound before it
 * listens, and until then it refuses connections as a dead one does.
 */
const ours = new Map<string, string | null>();

/** Resolves when nothing dead is in the way of `listen(socket)`, as far as that may be removed. */
export function clearSocket(socket: string, log: Logger): Promise<void> {
  // The primary binds it, so a relative path starts here. An abstract one is no file, and goes with its process.
  if (socket.startsWith('\0')) return Promise.resolve();
  return (turn = turn.then(() => clear(path.resolve(socket), log)));
}

async function clear(socket: string, log: Logger): Promise<void> {
  try {
    const found = ourSocket(socket);
    if (found === undefined) return void ours.set(socket, null);
    // An inode alone is soon used again.
    const id = `${found.ino} ${found.birthtimeMs}`;
    if (ours.get(socket) === null) ours.set(socket, id);
    if (ours.get(socket) === id || (await answers(socket))) return;
    // Somebody else may have put one of its own there meanwhile.
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

/** What another user has made is that user's to remove. */
function ourSocket(socket: string): Stats | undefined {
  const found = lstatSync(socket, { throwIfNoEntry: false });
  return found?.isSocket() === true && found.uid === process.geteuid?.() ? found : undefined;
}

/** Only a refused connection proves that nobody does. */
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
