/**
 * Serves the admin interface on the control socket and, where configured, on TCP.
 *
 * Whoever can open the socket owns the app anyway (mode 0600 in a folder of mode 0700), so nothing is asked there.
 * The TCP side is a convenience: where its port is taken the site runs without it, and the log says so.
 */
import type { RequestHandler } from 'express';
import { renameSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { guardTcp } from './guard.ts';
import { adminApp } from './routes.ts';
import { adminToken, writeToken } from './token.ts';
import type { Live } from '../live/live.ts';
import type { Operations } from '../ports.ts';
import { mustHold } from '../data-dir/durable.ts';
import { controlSocket, shortSocketPath } from './control-socket.ts';
import { QuiesceError } from '../../errors.ts';

export interface AdminServer {
  /** Such as `http://127.0.0.1:9615`; null where nothing listens on TCP. */
  readonly url: string | null;
  /** Ends event streams and idle connections at once; answers in progress get a moment. */
  close(): Promise<void>;
  /** Makes the control socket anew where somebody has removed it. */
  mend(): Promise<void>;
  /** The same, and the token. */
  restore(): Promise<void>;
}

export interface AdminOptions {
  readonly dataDir: string;
  readonly admin: { readonly host: string; readonly port: number } | null;
  readonly operations: Operations;
  /** What `GET /api/events` tells. */
  readonly live: Live;
  /** Further routes, such as the dashboard and `/metrics`, behind the same guard. */
  readonly more?: readonly RequestHandler[];
  /** Routes of the control socket alone. */
  readonly control?: readonly RequestHandler[];
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** Each event stream costs the primary a write at each change. */
const mostConnections = 256;

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
  let url: string | null = null;
  if (admin !== null) {
    const tcp = http.createServer(
      adminApp(operations, live, { guard: guardTcp({ token, host: admin.host }), more, onError }),
    );
    tcp.maxConnections = mostConnections;
    try {
      url = await listenOnTcp(tcp, admin);
      tcp.on('error', onServerError);
      servers.push(tcp);
      log.info({ url }, 'The dashboard is up');
    } catch (error) {
      log.warn(
        { code: (error as NodeJS.ErrnoException).code },
        `No dashboard on ${admin.host}:${admin.port}: ${(error as Error).message}. Set quiesce.admin.port to a free one, or quiesce.admin to false`,
      );
    }
  }
  const mend = async (): Promise<void> => {
    if (closed || socket?.isThere() === true) return;
    log.warn(`The control socket ${controlSocket(dataDir)} was removed and is made anew`);
    await listenForCommands();
  };
  return {
    url,
    mend,
    async restore() {
      await writeToken(dataDir, token);
      await mend();
    },
    async close() {
      closed = true;
      await Promise.all(servers.map(closeServer));
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
    renameSync(bound, socket);
  } catch (cause) {
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

async function listenOnTcp(server: http.Server, { host, port }: { host: string; port: number }): Promise<string> {
  const listening = opened(server);
  server.listen({ host, port, exclusive: true });
  await listening;
  const address = server.address() as AddressInfo;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

function opened(server: http.Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** How long an answer in progress, such as that of a `stop`, may take to get out, ms. */
const closeGrace = 500;

function closeServer(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), closeGrace);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
