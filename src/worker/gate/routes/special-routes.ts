/**
 * Handlers that a shut gate treats differently: those of `mirror` and `exclusive`, which request a run rather than
 * serve. The gate stands before all routes, so while it is shut it must know whether a request is for one of them. It
 * would be too late to let the request through and to decide at the handler: everything before the handler, and each
 * ordinary route, would have run during a pause (S1). Express only shows where a request leads by routing it. So there
 * are two ways:
 *
 *   - The gate looks up the routes of Express 4 and 5. It leaves out what it does not understand there.
 *   - Each such handler reports its path whenever Express calls it. This depends on nothing inside Express.
 *
 * If neither knows the path, a request gets 503 in place of 409 until its handler has been called once.
 */
import { METHODS, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Request } from 'express';
import { pathOf } from './target.ts';

export interface Special {
  /** May be served at any time and never counts: the runs and their progress. */
  isFree(req: IncomingMessage): boolean;
  /** Answers while a run is in progress; `place`: where the handler stands. */
  refuse(req: IncomingMessage, res: ServerResponse, run: string, place: Place): void;
}

/** Where a handler stands: mounted with `use`, or in a route. */
export interface Place {
  readonly route: Route | undefined;
}

export interface FoundSpecial extends Place {
  readonly special: Special;
}

const kSpecial = Symbol.for('quiesce.special');

export interface Route {
  readonly path?: unknown;
  readonly stack?: readonly Layer[];
  readonly methods?: Readonly<Record<string, boolean>>;
}

export interface Layer {
  readonly handle?: ((...args: never[]) => unknown) & { stack?: readonly Layer[]; [kSpecial]?: Special };
  readonly method?: string;
  readonly path?: string | undefined;
  readonly route?: Route;
  /** The path that it was given (router 2.3). */
  readonly rawPath?: unknown;
  /** It is mounted at `/` (Express 5). */
  readonly slash?: boolean;
  /** What it matches (Express 4). */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean };
  /** Reports a match and leaves the matched part in `path`, or (since router 2.3) returns it. */
  match?(path: string): boolean | { readonly path: string };
}

/** The handlers that were called, by `METHOD path`. */
const called = new Map<string, FoundSpecial>();
const mostCalled = 1_000;

export function markSpecial(handler: object, special: Special): void {
  Object.defineProperty(handler, kSpecial, { value: special });
}

export function isSpecial(handler: object): boolean {
  return kSpecial in handler;
}

/**
 * Must be called by the handler at each call, with the function that Express knows. Returns where the handler stands.
 */
export function rememberSpecial(handler: object, req: IncomingMessage): Place {
  const place = placeOf(handler, req as Request);
  const special = (handler as { [kSpecial]?: Special })[kSpecial];
  const key = keyOf(req);
  if (special !== undefined && !called.has(key) && called.size < mostCalled) called.set(key, { special, ...place });
  return place;
}

type RoutedRequest = Pick<Request, 'baseUrl' | 'path' | 'params'> & { readonly route?: Route };

/**
 * `req.route` alone is not enough: it keeps its value when a route, for example `app.all('*', auth)`, has passed the
 * request on to a handler that is mounted behind it.
 */
function placeOf(handler: object, { route, baseUrl, path, params }: RoutedRequest): Place {
  if (route === undefined || route.stack?.some(({ handle }) => handle === handler)) return { route };
  // The route has passed the request on, or calls the handler within a function of its own. A handler that is mounted
  // below a path finds the path in `baseUrl`, and none of the route's parameters.
  const { path: pattern } = route;
  const isItsOwn = baseUrl === '' || pattern === path || (String(pattern).includes(':id') && 'id' in params);
  return { route: isItsOwn ? route : undefined };
}

export function findSpecial(req: IncomingMessage): FoundSpecial | undefined {
  return findInRoutes(req) ?? called.get(keyOf(req));
}

/** The middleware and routes of an Express app, in order. */
export function layersOf(app: object): readonly Layer[] {
  const stack = routerOf(app)?.stack;
  return Array.isArray(stack) ? (stack as Layer[]) : [];
}

function routerOf(app: object): { stack?: unknown } | undefined {
  const { _router: router } = app as { _router?: { stack?: unknown } };
  if (router !== undefined) return router;
  try {
    return (app as { router?: { stack?: unknown } }).router;
  } catch {
    return undefined; // Express 4 before its first route: there it is a getter that throws
  }
}

function keyOf(req: IncomingMessage): string {
  return `${req.method ?? 'GET'} ${pathOf(req)}`;
}

/**
 * `app.all('/api/*', auth)` works like `app.use('/api', auth)`: if it always answered, nothing behind it would be
 * reached.
 */
function isMiddleware({ path, methods = {} }: Route): boolean {
  if (typeof path !== 'string' || !/\*\w*\}?$/.test(path)) return false;
  // The form of `route('*').all()`, and that of `app.all('*')`.
  return Object.keys(methods).join() === '_all' || METHODS.every((method) => methods[method.toLowerCase()]);
}

/** The first route that matches decides; an unknown handler before it changes nothing. */
function findInRoutes(req: IncomingMessage): FoundSpecial | undefined {
  const { app } = req as { app?: object };
  if (app === undefined) return undefined;
  try {
    return search(layersOf(app), pathOf(req), (req.method ?? 'GET').toLowerCase()) ?? undefined;
  } catch {
    return undefined; // a structure that is unknown here
  }
}

/** `null`: an ordinary route matches, so the search is over. */
function search(stack: readonly Layer[], path: string, method: string): FoundSpecial | null | undefined {
  for (const layer of stack) {
    const match = layer.match?.(path);
    if (!match) continue;
    const { route } = layer;
    if (route) {
      const { methods = {}, stack: handlers = [] } = route;
      if (!methods['_all'] && !methods[method] && !(method === 'head' && methods['get'])) continue;
      for (const inner of handlers) {
        const special = inner.handle?.[kSpecial];
        if (special && (inner.method === undefined || inner.method === method || method === 'head'))
          return { special, route };
      }
      if (isMiddleware(route)) continue;
      return null;
    }
    const special = layer.handle?.[kSpecial];
    if (special) return { special, route: undefined };
    if (layer.handle?.stack) {
      const rest = path.slice(((typeof match === 'object' ? match.path : layer.path) ?? '').length);
      const found = search(layer.handle.stack, rest.startsWith('/') ? rest : `/${rest}`, method);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
