/** What a request is for, as its client wrote it: Express rewrites `url` inside a mounted router. */
import type { IncomingMessage } from 'node:http';
import parseurl from 'parseurl';
import { withoutPass } from '../../../protocol/pass.ts';

/**
 * A path, or the absolute form (RFC 9112, section 3.2.2) of a plain http URL: what every parser reads alike. There is
 * nothing in it that one takes for the end of the host, or of the path, and another does not.
 */
const plain = /^(?:https?:\/\/[\w.:[\]-]+(?=[/?]|$))?(\/(?![/\\])[^#\\\s]*)?$/i;
/** What a proxy or `new URL()` resolves and Express does not. */
const dots = /(?:^|\/)(?:\.|%2e){1,2}(?:[/?]|$)/i;

/** What is kept of a path in messages, records and the log, characters: a client may send 16 kB. */
const kept = 200;

/** {@link pathOf}, cut to what a person wants to read. */
export function shortPathOf(req: IncomingMessage): string {
  return shortened(withoutPass(pathOf(req)));
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

/** The path of the target, without its query, by the parser that Express finds its routes with. */
export function pathOf(req: IncomingMessage): string {
  const url = targetOf(req);
  try {
    return parseurl({ url } as IncomingMessage)?.pathname ?? '/';
  } catch {
    return url; // Express finds no route for it
  }
}

/**
 * The same of a target that can only be read in one way, and null of any other. An exception from the gate is made for
 * these only, whoever reads the target behind it.
 */
export function plainPathOf(req: IncomingMessage): string | null {
  const url = targetOf(req);
  const [path = ''] = url.split('?', 1);
  return plain.test(path) && !dots.test(path) ? pathOf(req) : null;
}

/** Whether a path is this one, or below it. */
export function isBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(parent.endsWith('/') ? parent : `${parent}/`);
}

function targetOf(req: IncomingMessage): string {
  return (req as { originalUrl?: string }).originalUrl ?? req.url ?? '/';
}
