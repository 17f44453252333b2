/** `listen()`: starts a server whose gate also covers what never reaches a middleware. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Express } from 'express';
import { gateHandshakes } from './handshakes.ts';
import { getRuntime } from '../process/runtime.ts';
import { warnOfUngated } from './routes/start-warnings.ts';

/**
 * Starts an HTTP server for the app, as `app.listen` does, and gates what bypasses its middleware: `upgrade`, `connect`
 * and `Expect: 100-continue` (RFC 9110, section 10.1.1: answered when the handler first reads the body, so that a refused
 * client need not send it).
 *
 * @param port a port, or a path of a Unix socket; default `PORT`, then 3000
 * @param host default `HOST`, then 127.0.0.1
 */
export function listen(app: Express, port?: number | string, host?: string, onListening?: () => void): Server {
  if (typeof app !== 'function')
    throw new TypeError(`listen() takes the Express app first: listen(app, port), not ${String(app)}.`);
  const where = placeOf(port) ?? placeOf(process.env['PORT'], 'PORT') ?? 3000;
  const runtime = getRuntime();
  gateHandshakes();
  const server = createServer(app);
  server.on('checkContinue', (req, res) => {
    continueWhenRead(req, res);
    server.emit('request', req, res);
  });
  // Node ends a request after 300 s, which may be less than sync.upload_timeout.
  void runtime.settings.then(({ sync }) => {
    if (server.requestTimeout > 0) server.requestTimeout = Math.max(server.requestTimeout, sync.uploadTimeout + 10_000);
  });
  if (runtime.mode !== 'worker') warnOfUngated(server); // in a worker every server is checked
  if (typeof where === 'string') return server.listen(where, onListening);
  return server.listen(where, host ?? process.env['HOST'] ?? '127.0.0.1', onListening);
}

/** A port, or the path of a Unix socket. A word such as 'abc' would be a socket with that name: surely a mistake. */
function placeOf(given: number | string | undefined, name = 'the port'): number | string | undefined {
  if (given === undefined || given === '') return undefined;
  if (typeof given === 'string' && given.includes('/')) return given;
  const port = Number(given);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new TypeError(
    `listen(): ${name} is ${JSON.stringify(given)}; it takes a port from 0 to 65535, or the path of a Unix socket, which has a '/'.`,
  );
}

function continueWhenRead(req: IncomingMessage, res: ServerResponse): void {
  const read = req._read.bind(req);
  req._read = (size) => {
    req._read = read;
    if (!res.headersSent && !res.writableEnded && !res.destroyed) res.writeContinue();
    read(size);
  };
}
