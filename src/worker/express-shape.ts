/**
 * Spares an Express app what V8 makes it pay on Node 20 and 22 (12.4 and before; 13.6, in Node 24, no longer does).
 * Express gives each request and response another prototype, and there a property that is added after that gives the
 * object a hidden class of its own: no look-up in it is ever served from a cache. So what Express adds is there before.
 */
import { IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** Whether this V8 is one of those. */
export const isNeeded = Number.parseInt(process.versions.v8, 10) < 13;
const known = new WeakMap<Server, boolean>();

/** To be called before the app has the request. The values are those that Express takes for none, and Node's own. */
export function shapeForExpress(server: Server, req: IncomingMessage, res: ServerResponse): void {
  if (!servesExpress(server)) return;
  Object.assign(req, none);
  Object.assign(res, fresh);
}

/** An Express app is a function that carries the prototypes it gives. */
function servesExpress(server: Server): boolean {
  let answer = known.get(server);
  if (answer === undefined) {
    answer = server
      .listeners('request')
      .some((listener) => 'request' in listener && listener.request instanceof IncomingMessage);
    known.set(server, answer);
  }
  return answer;
}

const none = {
  res: undefined,
  next: undefined,
  baseUrl: undefined,
  originalUrl: undefined,
  _parsedUrl: undefined,
  params: undefined,
  route: undefined,
};
const fresh = { locals: undefined, statusCode: 200, statusMessage: undefined };
