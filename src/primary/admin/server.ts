/**
 * Serves the admin interface on the control socket and, where configured, on TCP.
 *
 * Whoever can open the socket owns the app anyway (mode 0600 in a folder of mode 0700), so nothing is asked there.
 */
import type { RequestHandler } from 'express';
import { renameSync, rmSync, statSync } from 'node:fs';
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
import { mustHold } from '../data-dir/durable.ts';
import { controlSocket, shortSocketPath } from './control-socket.ts';
import { QuiesceError } from '../../errors.ts';

export interface AdminServer {
  /** Such as `http://127.0.0.1:9615`; null where nothing listens on TCP. */
  readonly url: string | null;
  /** Prepares the move of the TCP side. @throws QuiesceError `port-in-use` */
  prepare(next: AdminOptions['admin']): Promise<Move>;
  /** Ends event streams and idle connections at once; answers in progress get a moment. */
  close(): Promise<void>;
  /** Makes the control socket anew where somebody has removed it. */
  mend(): Promise<void>;
  /** The same, and the token. */
  restore(): Promise<void>;
}

export interface AdminOptions {
  readonly dataDir: string;
  readonly admin: AppConfig['admin'];
  readonly operations: Operations;
  /** What `GET /api/events` tells. */
  readonly live: Live;
  /** Further routes, such as the dashboard and `/metrics`, behind the same guard. */
  readonly more?: readonly RequestHandler[];
  /** Routes of the control socket alone. */
  readonly control?: readonly RequestHandler[];
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** Call with the lock held: a control socket that is there already is one that a dead primary left behind. */
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
  /** Under its name, and not that of a successor. */
  isThere(): boolean;
  remove(): void;
}

/**
 * It is bound under a name of its own and then renamed: closing a server unlinks
 * the name it was bound to, and a primary that has lost its lock must not take the socket of its successor away.
 */
async function listenOnSocket(server: http.Server, socket: string): Promise<BoundSocket> {
  mustHold(socket);
  const bound = `${socket}.${process.pid}`;
  rmSync(bound, { force: true });
  const { name, done } = shortSocketPath(bound);
  // Nobody else may connect even in the moment between bind and chmod, so it is made with its mode. The bind happens
  // within listen(), which is why the umask can be put back right after it.
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
  const { ino } = statSync(socket);
  const isThere = (): boolean => statSync(socket, { throwIfNoEntry: false })?.ino === ino;
  return {
    isThere,
    remove: () => {
      if (isThere()) rmSync(socket, { force: true });
    },
  };
}
