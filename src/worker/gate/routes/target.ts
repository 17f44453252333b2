/** Reads the target of a request as its client wrote it: Express rewrites `url` inside a mounted router. */
import type { IncomingMessage } from 'node:http';
import parseurl from 'parseurl';
import { withoutPass } from '../../../protocol/hold/pass.ts';
import { shortened } from '../../../shortened.ts';

/**
 * A path, or the absolute form (RFC 9112, section 3.2.2) of a plain http URL: every parser reads these alike. They
 * contain nothing that one parser takes for the end of the host or of the path, and another does not.
 */
const plain = /^(?:https?:\/\/[\w.:[\]-]+(?=[/?]|$))?(\/(?![/\\])[^#\\\s]*)?$/i;
/** Dot segments: a proxy or `new URL()` resolves them, Express does not. */
const dots = /(?:^|\/)(?:\.|%2e){1,2}(?:[/?]|$)/i;

/** The longest path in messages, records and the log, characters: a client may send 16 kB. */
const kept = 200;

/** {@link pathOf}, cut to a length for people. */
export function shortPathOf(req: IncomingMessage): string {
  return shortened(withoutPass(pathOf(req)), kept);
}

/**
 * The pattern of the route that Express has found, such as `/reset/:token`: unlike the path it contains nothing of a
 * client. The path where a router is mounted may hold parameters, so it is left out. Undefined if there is no such
 * route.
 */
export function routeOf(req: IncomingMessage): string | undefined {
  const { route, baseUrl } = req as { route?: { path?: unknown }; baseUrl?: string };
  if (typeof route?.path !== 'string') return undefined;
  return shortened(baseUrl ? `…${route.path}` : route.path, kept);
}

/** The path of the target, without its query, from the parser that Express uses for its routes. */
export function pathOf(req: IncomingMessage): string {
  const url = targetOf(req);
  try {
    return parseurl({ url } as IncomingMessage)?.pathname ?? '/';
  } catch {
    return url; // Express finds no route for it
  }
}

/**
 * The path of a target that every parser reads alike; null for any other. Only such a target can be excepted from the
 * gate, whichever parser reads it later.
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
