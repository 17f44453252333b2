/** `exclusive()`: a handler that runs alone in the whole cluster. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { RequestBody } from '../../../protocol/workers/messages.ts';
import { QuiesceError, toQuiesceError, type Problem } from '../../../errors.ts';
import { publicProblem } from '../../../protocol/api/public-view.ts';
import { runInProgress } from '../../../protocol/workers/run-in-progress.ts';
import type { RequestedKind } from '../../../protocol/words.ts';
import { isThenable } from '../events/attempt.ts';
import { handlerAtWork } from './handlers-at-work.ts';
import { holdEnd } from './held-end.ts';
import { entryOf, type Entry } from '../in-flight/entry.ts';
import { requestTimeout } from '../../process/link.ts';
import { refuse } from '../shut/refusal.ts';
import { getRuntime, type Runtime } from '../../process/runtime.ts';
import { isSpecial, markSpecial, rememberSpecial } from '../routes/special-routes.ts';
import { shortPathOf } from '../routes/target.ts';

/** How much longer a drain may take when stragglers are cut off, ms. */
const cutTime = 5_000;

/**
 * Wraps an Express handler so that it runs only while the cluster is quiesced, except for its own request.
 *
 * Another such request in the meantime gets 409 `run-in-progress`; if the requests in flight do not finish in time,
 * this one gets 503 `drain-timeout` and the handler is not called. The run ends when the handler has ended its response
 * and its promise, if it returned one, has settled. The end of the response is held back until the gates are open
 * again, unless that promise is still pending. A run that passes its `timeout` (ms, default `sync.run_timeout`) is
 * ended by killing its worker. Express' types of parameters, bodies and query pass through:
 * `exclusive<{ id: string }>(…)`.
 *
 * @throws TypeError if it gets no handler, more than one, one from exclusive() or mirror(), or a wrong option
 */
export function exclusive<
  Params = Request['params'],
  ResBody = Request['body'],
  ReqBody = Request['body'],
  Query = Request['query'],
>(
  handler: RequestHandler<Params, ResBody, ReqBody, Query>,
  options?: ExclusiveOptions,
): RequestHandler<Params, ResBody, ReqBody, Query>;
export function exclusive(handler: RequestHandler, options: ExclusiveOptions = {}): RequestHandler {
  checkHandler(arguments);
  const { timeout } = checkOptions(options);

  async function quiesceExclusive(req: Request, res: Response, next: NextFunction): Promise<void> {
    rememberSpecial(quiesceExclusive, req);
    const runtime = getRuntime();
    let entry: Entry;
    let run: string;
    try {
      entry = claimingEntry(req, res);
      run = await claimRun(runtime, askedBy(req), 'exclusive', timeout);
    } catch (error) {
      return refuseClaim(req, res, error);
    }
    if (entry.gone) {
      // The client has gone, so the cluster is not stopped for this request.
      res.end();
      return void releaseRun(runtime, run);
    }
    const workEnded = runtime.gate.beginOfRun();
    if (workEnded === null) {
      void releaseRun(runtime, run);
      return refuseClaim(req, res, leaseOver());
    }
    let released: Promise<void> | undefined;
    const { end } = res;
    const isDone = handlerAtWork(runtime, run, (error) => {
      // A partial answer stays partial: `end` would make it look complete.
      if (res.headersSent) return;
      entry.onSettled = workEnded; // the handler is still there, so the run ends with its worker
      res.end = end;
      refuse(req, res, error);
    });
    entry.onSettled = () => {
      isDone();
      workEnded();
      released = releaseRun(runtime, run);
    };
    // A client that has its answer finds the gates open. A handler that continues after its answer is not waited for.
    const letGo = holdEnd(res, () => {
      if (entry.waits === 0) runtime.gate.done(entry);
      return released;
    });
    try {
      const result: unknown = handler(req, res, next);
      if (!isThenable(result)) return;
      runtime.gate.wait(entry, result);
      await result;
      // The settled promise shows that the handler is done, even if it did not end a response that nobody reads.
      runtime.gate.finish(entry);
    } catch (error) {
      letGo(); // an error after the answer does not change the answer
      next(error);
    }
  }

  markSpecial(quiesceExclusive, { isFree: () => false, refuse: refuseDuringRun });
  return quiesceExclusive;
}

/** The error for a late grant: the other hosts may count this one as gone by now. */
function leaseOver(): QuiesceError {
  const what =
    'This host has lost touch with the others of the site, so the handler was not called. Send the request again.';
  return new QuiesceError('database-unavailable', what);
}

/** The options of {@link exclusive}. */
export interface ExclusiveOptions {
  /** How long the handler may run, ms; after that its worker is replaced. Default `sync.run_timeout`. */
  timeout?: number;
}

function checkOptions(options: ExclusiveOptions): ExclusiveOptions {
  const { timeout, ...more } = options;
  const unknown = Object.keys(more)[0];
  if (unknown !== undefined) throw new TypeError(`exclusive(): there is no option '${unknown}'. There is timeout.`);
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0 && timeout < 2 ** 31))
    throw new TypeError('exclusive(): timeout takes a number of milliseconds.');
  return options;
}

/** Refuses, when the app is loaded, a handler that would be ignored silently or would wait for itself. */
function checkHandler(given: ArrayLike<unknown>): void {
  const [handler, ...more] = Array.from(given);
  if (typeof handler !== 'function' || handler.length > 3)
    throw new TypeError('exclusive() takes an Express handler: exclusive((req, res) => { … }).');
  if (more.some((each) => typeof each === 'function'))
    throw new TypeError(
      'exclusive() takes one handler. Put what has to come before it into the route: app.post(path, auth, exclusive(handler)).',
    );
  if (isSpecial(handler))
    throw new TypeError(
      'exclusive() was given what exclusive() or mirror() has made, which asks for a run of its own and would wait for itself. Use it as it is.',
    );
}

/**
 * The entry of a request that requests a run. From now on it does not count, since a drain must not wait for it.
 * @throws QuiesceError `no-primary`, or `internal` if the app has no gate: then nothing would be held
 */
export function claimingEntry(req: IncomingMessage, res: ServerResponse): Entry {
  const runtime = getRuntime();
  const { gate, rules } = runtime;
  runtime.requirePrimary();
  // A request that the gate lets pass without counting may request a run too.
  const entry = entryOf(req) ?? (rules === null ? undefined : gate.enterShut(req, res));
  if (entry === undefined) {
    throw new QuiesceError(
      'internal',
      'This app has no gate, so no request would be held off. Put app.use(gate()) before everything else.',
    );
  }
  gate.exempt(entry);
  return entry;
}

/** Who asks for a run, and for a sync what for. */
type Asked = Pick<Extract<RequestBody, { op: 'claim' }>, 'method' | 'path' | 'collection' | 'scope' | 'source'>;

export function askedBy(req: IncomingMessage): Asked {
  return { method: req.method ?? '', path: shortPathOf(req) };
}

/** Resolves with the run: for a sync at once, for an exclusive run when the cluster is quiesced. */
export async function claimRun(
  runtime: Runtime,
  asked: Asked,
  kind: RequestedKind,
  workTimeout?: number,
): Promise<string> {
  const { drainTimeout } = (await runtime.settings).maintenance;
  const { run } = await runtime.link.request<'claim'>(
    {
      op: 'claim',
      kind,
      ...asked,
      ...(workTimeout === undefined ? {} : { timeout: workTimeout }),
    },
    {
      timeout: requestTimeout + (kind === 'exclusive' ? drainTimeout + cutTime : 0),
      late: (granted) => void releaseRun(runtime, granted.run),
    },
  );
  return run;
}

/**
 * Resolves when the primary has opened the gates again, or does not answer: a lost primary has ended the run already.
 */
export async function releaseRun(runtime: Runtime, run: string, problem?: Problem): Promise<void> {
  await runtime.link
    .request<'release'>(
      { op: 'release', run, ...(problem === undefined ? {} : { problem }) },
      { timeout: requestTimeout },
    )
    .catch(() => {});
}

/** Answers a claim that was not granted; 409 names the run in progress. */
export function refuseClaim(
  req: IncomingMessage,
  res: ServerResponse,
  error: unknown,
  location?: (run: string) => string,
): void {
  const { code, message, extra, cause } = toQuiesceError(error);
  const known = new QuiesceError(code, message, { extra: publicProblem(extra), cause });
  const { run } = known.extra;
  const headers: Record<string, string> = {};
  if (location !== undefined && typeof run === 'string') headers['Location'] = location(run);
  if (known.status === 503 || known.status === 409) headers['Retry-After'] = String(getRuntime().gate.retryAfter);
  refuse(req, res, known, { headers });
}

function refuseDuringRun(req: IncomingMessage, res: ServerResponse, run: string): void {
  refuseClaim(req, res, runInProgress(run));
}
