/**
 * Unix sockets that the app listens on (`listen('/run/shop.sock')`). A primary that was killed leaves their files behind,
 * and each further start would end with EADDRINUSE. So they are on record, and the next primary removes those that nobody
 * answers on. No others: what is not on record was made by somebody else.
 */
import { lstat, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { writeWhole } from '../data-dir/durable.ts';

/** How long a socket may take to answer before it counts as one that does, ms. */
const patience = 1_000;

export interface SocketRecord {
  add(socket: string): void;
  /** Resolves when the file is what was last known. */
  flush(): Promise<void>;
  restore(): Promise<void>;
}

export function recordSockets(file: string, log: Logger): SocketRecord {
  const sockets = new Set<string>();
  let writing: Promise<void> = Promise.resolve();
  const write = (): Promise<void> => {
    const text = `${JSON.stringify([...sockets])}\n`;
    writing = writing
      .then(() => writeWhole(file, text))
      .catch((error: unknown) => log.warn({ err: error, file }, 'the sockets of the app cannot be put on record'));
    return writing;
  };
  return {
    add(socket) {
      // The primary binds it, so a relative path starts here. An abstract one is no file, and goes with its process.
      const known = path.resolve(socket);
      if (socket.startsWith('\0') || sockets.has(known)) return;
      sockets.add(known);
      void write();
    },
    flush: () => writing,
    restore: write,
  };
}

/** Call under the lock, when no worker of a former primary is left. */
export async function removeDeadSockets(file: string, log: Logger): Promise<void> {
  for (const socket of await read(file)) {
    const found = await lstat(socket).catch(() => undefined);
    if (found?.isSocket() !== true || (await answers(socket))) continue;
    log.warn({ socket }, `${socket} was left behind by a primary that was killed, and is removed`);
    await rm(socket, { force: true }).catch((error: unknown) =>
      log.warn({ err: error, socket }, `${socket} cannot be removed, so the app cannot listen on it`),
    );
  }
}

async function read(file: string): Promise<string[]> {
  try {
    return z.array(z.string()).parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return []; // none yet
  }
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
