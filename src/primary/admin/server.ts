/**
 * Serves the admin interface on the control socket and, if configured, on TCP.
 *
 * The socket needs no token: anyone who can open it (mode 0600 in a folder of mode 0700) owns the app anyway.
 */
import type { RequestHandler } from 'express';
import { renameSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { Logger } from 'pino';
import { guardTcp } from './guard.ts';
import { closeServer, opened } from './listening.ts';
import { AdminTcp, type Move } from './tcp.ts';
import { adminApp } from './routes.ts';
import { adminToken, writeToken } from './token.ts';
import type { AppConfig } from '../../config.ts';
import type { Live } from '../live/live.ts';
import type { Operations } from '../ports.ts';
import { statusOf } from '../../file-status.ts';
import { mustHold } from '../data-dir/durable.ts';
import { controlSocket, shortSocketPath } from './control-socket.ts';
import { QuiesceError } from '../../errors.ts';

export interface AdminServer {
  /** For example `http://127.0.0.1:9615`; null if nothing listens on TCP. */
  readonly url: string | null;
  /** Prepares the move of the TCP side. @throws QuiesceError `port-in-use` */
  prepare(next: AdminOptions['admin']): Promise<Move>;
  /** Another primary is to have the TCP port; the control socket answers until its successor has made its own. */
  yield(): void;
  /** Ends event streams and idle connections at once; answers in progress get a moment. */
  close(): Promise<void>;
  /** Makes the control socket again if it was removed. */
  mend(): Promise<void>;
  /** As `mend`, and writes the token again. */
  restore(): Promise<void>;
}

export interface AdminOptions {
  readonly dataDir: string;
  readonly admin: AppConfig['admin'];
  readonly operations: Operations;
  /** The source of `GET /api/events`. */
  readonly live: Live;
  /** Further routes, such as the dashboard and `/metrics`, behind the same guard. */
  readonly more?: readonly RequestHandler[];
  /** Routes of the control socket only. */
  readonly control?: readonly RequestHandler[];
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** Call with the lock held: an existing control socket was then left by a dead primary. */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const { dataDir, admin, operations, live, log } = options;
  const more = options.more ?? [];
  const onError = (err: unknown): void => log.error({ err }, 'The admin server failed to answer');
  const onServerError = (err: unknown): void => log.error({ err }, 'The admin server has a problem and goes on');
  const token = await adminToken(dataDir);

  const controlApp = adminApp(operations, live, { more: [...(options.control ?? []), ...more], onError });
  const servers: http.Server[] = [];
  let socket: BoundSocket | null = null;
  let closed = false;
  const listenForCommands = async (): Promise<void> => {
    const control = http.createServer(controlApp);
    socket = await listenOnSocket(control, controlSocket(dataDir));
    control.on('error', onServerError);
    servers.push(control);
  };
  await listenForCommands();
  const tcp = new AdminTcp(
    (host) => adminApp(operations, live, { guard: guardTcp({ token, host }), more, onError }),
    log,
  );
  if (admin !== null) await tcp.start(admin);
  const mend = async (): Promise<void> => {
    if (closed || socket?.isThere() === true) return;
    log.warn(`The control socket ${controlSocket(dataDir)} was removed and is made anew`);
    await listenForCommands();
  };
  return {
    get url() {
      return tcp.url;
    },
    mend,
    prepare: (next) => tcp.prepare(next),
    yield() {
      closed = true;
      void tcp.close();
      for (const server of servers) server.closeIdleConnections(); // the next request is for the successor
    },
    async restore() {
      await writeToken(dataDir, token);
      await mend();
    },
    async close() {
      closed = true;
      await Promise.all([tcp.close(), ...servers.map(closeServer)]);
      socket?.remove();
    },
  };
}

interface BoundSocket {
  /** The socket file exists, and is not the one of a successor. */
  isThere(): boolean;
  remove(): void;
}

/**
 * The socket is bound under a temporary name and then renamed: closing a server removes the name it was bound to, and a
 * primary that lost its lock must not remove the socket of its successor.
 */
async function listenOnSocket(server: http.Server, socket: string): Promise<BoundSocket> {
  mustHold(socket);
  const bound = `${socket}.${process.pid}`;
  rmSync(bound, { force: true });
  const { name, done } = shortSocketPath(bound);
  // The socket gets its mode when it is created, so that nobody else can connect between bind and chmod. The bind
  // happens within listen(), so the umask can be restored right after it.
  const umask = process.umask(0o177);
  try {
    const listening = opened(server);
    server.listen(name);
    process.umask(umask);
    await listening;
    mustHold(socket);
    renameSync(bound, socket);
  } catch (cause) {
    if (cause instanceof QuiesceError) throw cause;
    throw new QuiesceError(
      'data-dir-unusable',
      `The control socket ${socket} cannot be made: ${(cause as Error).message}.`,
      { cause },
    );
  } finally {
    process.umask(umask);
    done();
  }
  const { ino } = statusOf(socket)!;
  const isThere = (): boolean => statusOf(socket)?.ino === ino;
  return {
    isThere,
    remove: () => {
      if (isThere()) rmSync(socket, { force: true });
    },
  };
}
