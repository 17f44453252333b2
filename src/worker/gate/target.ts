/** What a request is for, as its client wrote it: Express rewrites `url` inside a mounted router. */
import type { IncomingMessage } from 'node:http';

/** The scheme and authority of the absolute form, which a server must take as well (RFC 9112, section 3.2.2). */
const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i;

/** What is kept of a path in messages, records and the log, characters: a client may send 16 kB. */
const kept = 200;

/** {@link pathOf}, cut to what a person wants to read. */
export function shortPathOf(req: IncomingMessage): string {
  return shortened(pathOf(req));
}

/**
 * The pattern of the route that Express has found, such as `/reset/:token`: unlike the path it tells nothing of a client.
 * The path that a router is mounted at may hold parameters, so it is left out. Undefined where there is no such route.
 */
export function routeOf(req: IncomingMessage): string | undefined {
  const { route, baseUrl } = req as { route?: { path?: unknown }; baseUrl?: string };
  if (typeof route?.path !== 'string') return undefined;
  return shortened(baseUrl ? `…${route.path}` : route.path);
}

function shortened(text: string): string {
  return text.length <= kept ? text : `${text.slice(0, kept)}…`;
}

/** The path of the target, without its query. */
export function pathOf(req: IncomingMessage): string {
  const url = (req as { originalUrl?: string }).originalUrl ?? req.url ?? '/';
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  return path.startsWith('/') ? path : path.replace(origin, '') || '/';
}
