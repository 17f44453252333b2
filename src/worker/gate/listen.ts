/** `listen()`: a server whose gate also stands before what never reaches a middleware. */
import { createServer, ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Express } from 'express';
import { notHeld, refusePaused } from './admission.ts';
import { Birth } from './express-server.ts';
import { getRuntime, type Runtime } from '../process/runtime.ts';
import { pathOf } from './target.ts';

/**
 * Starts an HTTP server for the app, as `app.listen` does, and gates what bypasses its middleware: `Expect:
 * 100-continue` (RFC 9110, section 10.1.1: answered when the handler first reads the body, so that a client that is
 * refused need not send it), `upgrade` and `connect`.
 *
 * @param port a port, or a path of a Unix socket; default `PORT`, then 3000
 * @param host default `HOST`, then 127.0.0.1
 */
export function listen(app: Express, port?: number | string, host?: string, onListening?: () => void): Server {
  const runtime = getRuntime();
  const birth = new Birth(app);
  const server = createServer(birth.options, app);
  server.on('checkContinue', (req, res) => {
    continueWhenRead(req, res);
    server.emit('request', req, res);
  });
  birth.watch(server);
  gateTakeovers(runtime, server);
  // Node cuts a request off after 300 s, which would be shorter than a longer sync.upload_timeout.
  void runtime.settings.then(({ sync }) => {
    if (server.requestTimeout > 0) server.requestTimeout = Math.max(server.requestTimeout, sync.uploadTimeout + 10_000);
  });
  const where = port ?? process.env['PORT'] ?? 3000;
  if (typeof where === 'string' && !/^\d+$/.test(where)) return server.listen(where, onListening);
  return server.listen(Number(where), host ?? process.env['HOST'] ?? '127.0.0.1', onListening);
}

function continueWhenRead(req: IncomingMessage, res: ServerResponse): void {
  const read = req._read.bind(req);
  req._read = (size) => {
    req._read = read;
    if (!res.headersSent && !res.writableEnded && !res.destroyed) res.writeContinue();
    read(size);
  };
}

/**
 * `upgrade` and `connect` hand the socket over. Such a request counts until its handshake is answered: what follows on
 * the socket is a connection, not a request, and a page that stays open must not keep every drain from ending.
 */
function gateTakeovers(runtime: Runtime, server: Server): void {
  server.on('newListener', function install(name) {
    if (name !== 'upgrade' && name !== 'connect') return;
    server.off('newListener', install); // only a server that takes sockets over pays for the look at each event
    const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean;
    server.emit = ((event: string | symbol, ...args: unknown[]) => {
      if (event !== 'upgrade' && event !== 'connect') return emit(event, ...args);
      takeOver(runtime, args[0] as IncomingMessage, args[1] as Socket, () => emit(event, ...args));
      return true;
    }) as typeof server.emit;
  });
}

function takeOver(runtime: Runtime, req: IncomingMessage, socket: Socket, handle: () => void): void {
  if (runtime.rules === null || runtime.rules.isExcepted(pathOf(req))) return handle();
  const { gate } = runtime;
  const res = new ServerResponse(req);
  const onError = (): void => void socket.destroy(); // nobody else listens until the handler has the socket
  socket.on('error', onError);
  const refuse = (): void => {
    res.assignSocket(socket);
    res.once('finish', () => socket.end());
    refusePaused(runtime, req, res);
  };
  const enter = (): void => {
    const entry = gate.tryEnter(req, res);
    if (entry === undefined) return refuse();
    const answered = (): void => gate.done(entry);
    const { write } = socket;
    socket.write = ((...args: Parameters<typeof write>) => {
      socket.write = write;
      answered();
      return write.apply(socket, args);
    }) as typeof write;
    socket.once('close', answered);
    socket.off('error', onError);
    handle();
  };
  if (gate.state === 'open') enter();
  else gate.hold(req, res, notHeld, enter, refuse);
}
