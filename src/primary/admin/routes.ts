/** The admin interface: what an operator can see and do, as JSON over HTTP. docs/http-api.md describes it. */
import express, { Router, type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import { Readers, streamEvents } from './events.ts';
import type { Locals } from './guard.ts';
import { bodies, bodyOf, maintenanceChange, orderOf, runsQuery } from './bodies.ts';
import type { Live } from '../live/live.ts';
import type { Operations } from '../ports.ts';
import { QuiesceError, toQuiesceError } from '../../errors.ts';
import { noRun } from '../runs/history/stored-runs.ts';
import { runWithoutPaths, statusWithoutPaths } from '../../protocol/api/public-view.ts';
import type { ReloadAnswer } from '../../protocol/api/runs.ts';

/** Every path below `/api`, with its one method. */
export const routes = [
  ['/status', 'GET'],
  ['/events', 'GET'],
  ['/urls', 'GET'],
  ['/runs', 'GET'],
  ['/runs/:id', 'GET'],
  ['/runs/:id/cancel', 'POST'],
  ['/runs/:id/abandon', 'POST'],
  ['/hosts/:name/remove', 'POST'],
  ['/maintenance', 'POST'],
  ['/reload', 'POST'],
  ['/scale', 'POST'],
  ['/stop', 'POST'],
] as const;

/** Aborted if the client leaves before it has its answer. */
export function goneWith(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

const jsonOnly: RequestHandler = (request, _response, next) => {
  // A form on another site cannot be posted with this type without a CORS preflight.
  if (request.headers['content-length'] !== '0' && request.is('application/json') === false) {
    throw new QuiesceError('unsupported-media-type', 'The body has to be application/json.');
  }
  next();
};

export function adminRoutes(operations: Operations, live: Live): Router {
  const router = Router();
  const api = Router();
  const readers = new Readers();
  router.use('/api', api);
  api.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  api.post('/*path', jsonOnly, express.json({ limit: '16kb' }));

  api.get('/status', (_request, response) => {
    const status = operations.status();
    response.json(isTrusted(response) ? status : statusWithoutPaths(status));
  });
  api.get('/events', (request, response) => {
    const reader = { trusted: isTrusted(response) };
    readers.enter(reader, response);
    streamEvents(live, reader, request, response);
  });
  api.get('/urls', (_request, response) => void response.json({ urls: operations.urls() }));

  api.get('/runs', (request, response) => {
    const query = runsQuery.safeParse(request.query);
    if (!query.success) throw new QuiesceError('bad-request', 'limit takes a whole number from 1 to 1000.');
    const items = operations.runs(query.data.limit);
    response.json({ items: isTrusted(response) ? items : items.map(runWithoutPaths) });
  });
  api.get('/runs/:id', (request, response) => {
    const run = operations.run(request.params.id);
    if (run === undefined) throw noRun(request.params.id);
    response.json(isTrusted(response) ? run : runWithoutPaths(run));
  });
  api.post('/runs/:id/cancel', async (request, response) => {
    const order = orderOf(bodyOf(bodies.run, request.body));
    response.json(await operations.cancel(request.params.id, order));
  });
  api.post('/runs/:id/abandon', async (request, response) => {
    const order = orderOf(bodyOf(bodies.run, request.body));
    response.json(await operations.abandon(request.params.id, order));
  });

  api.post('/hosts/:name/remove', async (request, response) => {
    await operations.removeHost(request.params.name, orderOf(bodyOf(bodies.removeHost, request.body)));
    response.json(operations.status());
  });
  api.post('/maintenance', async (request, response) => {
    const change = maintenanceChange(request.body, goneWith(response));
    response.json(await operations.maintenance(change));
  });
  api.post('/reload', async (request, response) => {
    const { dryRun = false, all = false, ...order } = bodyOf(bodies.reload, request.body);
    if (dryRun && all)
      throw new QuiesceError('bad-request', '`dryRun` does not go with `all`: it shows the changes of one host only.');
    const { changes, warnings } = dryRun
      ? await operations.previewReload()
      : await operations.reload({ ...orderOf(order), ...(all ? { all } : {}) });
    const status = operations.status();
    const told = [...(status.warnings ?? []), ...warnings];
    const answer: ReloadAnswer = { ...status, ...(told.length === 0 ? {} : { warnings: told }), changes, dryRun };
    response.json(answer);
  });
  api.post('/scale', async (request, response) => {
    const body = bodyOf(bodies.scale, request.body);
    await operations.scale({ ...body.instances, ...orderOf(body) });
    response.json(operations.status());
  });
  api.post('/stop', (request, response) => {
    const body = bodyOf(bodies.stop, request.body);
    operations.stop({ now: body.now ?? false, ...orderOf(body) });
    response.status(202).json({ pid: process.pid });
  });

  for (const [path, method] of routes) {
    api.all(path, (request, response) => {
      response.set('Allow', method);
      throw new QuiesceError('method-not-allowed', `${request.originalUrl} takes ${method}, not ${request.method}.`);
    });
  }
  return router;
}

function isTrusted(response: Response): boolean {
  return (response.locals as Locals).trusted === true;
}

/** Anyone who can open the control socket owns the app. */
const trustAll: RequestHandler = (_request, response, next) => {
  (response.locals as Locals).trusted = true;
  next();
};

/**
 * The admin server's Express app. `guard` runs before the routes of the interface, `more` (dashboard, metrics) after
 * them.
 */
export function adminApp(
  operations: Operations,
  live: Live,
  options: { guard?: RequestHandler; more?: readonly RequestHandler[]; onError: (error: unknown) => void },
): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    response.set({ 'X-Content-Type-Options': 'nosniff', 'X-Frame-Options': 'DENY', 'Referrer-Policy': 'no-referrer' });
    next();
  });
  app.use(options.guard ?? trustAll);
  app.use(adminRoutes(operations, live));
  for (const handler of options.more ?? []) app.use(handler);
  app.use((request) => {
    throw new QuiesceError('not-found', `There is nothing at ${request.path}.`);
  });
  const answer: ErrorRequestHandler = (thrown, request, response, next) => {
    const error = asProblem(thrown);
    if (error.code === 'internal') options.onError(thrown);
    if (response.headersSent) {
      next(thrown);
      return;
    }
    if (error.code === 'too-many-streams') response.set('Retry-After', '10');
    if (error.status === 401) response.set('WWW-Authenticate', 'Bearer');
    // Not Express' own methods: they add a charset, and this type has none.
    response.statusCode = error.status;
    response.setHeader('Content-Type', 'application/problem+json');
    response.end(JSON.stringify(error.toProblem(request.originalUrl)));
  };
  app.use(answer);
  return app;
}

/** Errors of Express' own body parser and router carry a status, and a message that may be shown to the client. */
function asProblem(thrown: unknown): QuiesceError {
  if (thrown instanceof QuiesceError) return thrown;
  const { status, expose, message } = thrown as { status?: unknown; expose?: unknown; message?: unknown };
  if (expose !== true && !(thrown instanceof URIError)) return toQuiesceError(thrown);
  if (status === 413) return new QuiesceError('payload-too-large', 'The body may hold at most 16 kB.');
  if (status === 415) return new QuiesceError('unsupported-media-type', String(message));
  return new QuiesceError('bad-request', `The request cannot be read: ${String(message)}.`);
}
