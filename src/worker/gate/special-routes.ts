/**
 * Handlers that a shut gate treats in their own way: those of `mirror` and `exclusive`, which ask for a run rather
 * than serve. The gate stands before all routes, so it looks up whether the request is for one of them. It does so
 * only while it is shut; `layer.match` is what Express itself calls for each request.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pathOf } from './target.ts';

export interface Special {
  /** May be served at any time and never counts: the runs and their progress. */
  isFree(req: IncomingMessage): boolean;
  /** Answers while a run is going on. */
  refuse(req: IncomingMessage, res: ServerResponse, run: string): void;
}

const kSpecial = Symbol.for('quiesce.special');

interface Layer {
  readonly handle?: ((...args: never[]) => unknown) & { stack?: Layer[]; [kSpecial]?: Special };
  readonly method?: string;
  readonly path?: string | undefined;
  readonly route?: { readonly stack: Layer[]; readonly methods: Readonly<Record<string, boolean>> };
  /** Says so and leaves the matched part in `path`, or (since router 2.3) returns it. */
  match(path: string): boolean | { readonly path: string };
}

export function markSpecial(handler: object, special: Special): void {
  Object.defineProperty(handler, kSpecial, { value: special });
}

/** The first route that matches decides; a handler before it that is unknown to us changes nothing. */
export function findSpecial(req: IncomingMessage): Special | undefined {
  const { app } = req as { app?: { router?: { stack?: Layer[] } } };
  const stack = app?.router?.stack;
  return stack === undefined
    ? undefined
    : (search(stack, pathOf(req), (req.method ?? 'GET').toLowerCase()) ?? undefined);
}

/** `null`: an ordinary route matches, so the search is over. */
function search(stack: readonly Layer[], path: string, method: string): Special | null | undefined {
  for (const layer of stack) {
    const match = layer.match(path);
    if (!match) continue;
    if (layer.route) {
      const { methods } = layer.route;
      if (!methods['_all'] && !methods[method] && !(method === 'head' && methods['get'])) continue;
      for (const inner of layer.route.stack) {
        const special = inner.handle?.[kSpecial];
        if (special && (inner.method === undefined || inner.method === method || method === 'head')) return special;
      }
      return null;
    }
    if (layer.handle?.[kSpecial]) return layer.handle[kSpecial];
    if (layer.handle?.stack) {
      const rest = path.slice(((typeof match === 'object' ? match.path : layer.path) ?? '').length);
      const found = search(layer.handle.stack, rest.startsWith('/') ? rest : `/${rest}`, method);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
