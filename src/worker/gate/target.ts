/** What a request is for, as its client wrote it: Express rewrites `url` inside a mounted router. */
import type { IncomingMessage } from 'node:http';

/** The scheme and authority of the absolute form, which a server must take as well (RFC 9112, section 3.2.2). */
const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i;

/** The path of the target, without its query. */
export function pathOf(req: IncomingMessage): string {
  const url = (req as { originalUrl?: string }).originalUrl ?? req.url ?? '/';
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  return path.startsWith('/') ? path : path.replace(origin, '') || '/';
}
