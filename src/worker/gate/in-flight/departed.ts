/**
 * Finds out when the handler of a request is done although its client has gone. node:http emits nothing more for such a
 * request. The handler is done with the response when it
 *
 *   - ends it, whatever has wrapped `end`,
 *   - closes the connection, as Express does after an error that came too late for an answer,
 *   - has piped a stream into it that has ended or was closed, or
 *   - no longer references it: code cannot end a response that the garbage collector has collected.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { InFlightRequest } from '../../../protocol/workers/messages.ts';
import type { TrackedSocket } from '../../process/connections.ts';
import { routeOf, shortPathOf } from '../routes/target.ts';

export type Label = Pick<InFlightRequest, 'method' | 'path' | 'route'>;

/** The description that remains when the request itself is no longer referenced. */
export function describe(req: IncomingMessage): Label {
  const route = routeOf(req);
  return { method: req.method ?? '', path: shortPathOf(req), ...(route === undefined ? {} : { route }) };
}

const nobodys = new FinalizationRegistry<() => void>((done) => done());

/**
 * Whether the handler closed the connection, and not the client or node:http. Must be called before node:http handles
 * the close, which marks the response as destroyed.
 *
 * @param shared whether other requests are in flight on the connection: any of these may have closed it
 */
export function closedByHandler(
  req: IncomingMessage,
  res: ServerResponse,
  socket: TrackedSocket,
  shared: boolean,
): boolean {
  if (res.destroyed) return true;
  if (shared) return false;
  if (socket.errored) return socket.errored === req.errored; // req.destroy(error); else the client's reset, or a time limit
  const byClient = socket.readableEnded;
  // The timeout of an idle connection closes it without an error too, and so may the timeout of an incomplete body.
  const mayBeLate = Boolean(socket.timeout) || !req.complete;
  return !byClient && !mayBeLate;
}

/**
 * @param done may be called several times; must not reference the response, which would then never be collected
 * @param shared as above
 */
export function whenHandlerIsDone(res: ServerResponse, socket: TrackedSocket, shared: boolean, done: () => void): void {
  onEnd(res, done);
  // A pipe may start before or after the client leaves: `send` starts its pipe after it has looked at the file.
  const onSource = (source: Readable): void => {
    if (source.destroyed || source.readableEnded) done();
    else source.once('close', done).once('end', done);
  };
  res.on('pipe', onSource).on('unpipe', onSource);
  if (!shared) {
    const { destroy } = socket;
    socket.destroy = (error) => {
      done();
      return destroy.call(socket, error);
    };
  }
  nobodys.register(res, done);
}

/**
 * The flag and not `end`: a session store may have wrapped `end`, and end the response long after the wrapper returned.
 */
function onEnd(res: ServerResponse, done: () => void): void {
  if (Object.hasOwn(res, 'finished')) {
    let finished = false;
    Object.defineProperty(res, 'finished', {
      configurable: true,
      enumerable: true,
      get: () => finished,
      set(value: boolean) {
        finished = value;
        if (finished) done();
      },
    });
    return;
  }
  // HTTP/2 has no such flag of its own.
  const { end } = res;
  res.end = ((...args: Parameters<typeof end>) => {
    const result = end.apply(res, args);
    done();
    return result;
  }) as typeof end;
}
