/**
 * `mirror()`: the Express handler of `PUT /api/sync`, and of `GET` for the runs if it is mounted for that too.
 *
 * auth → headers → claim (409 at once) → spool → submit → wait for the end → answer
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Request, RequestHandler, Response } from 'express';
import { QuiesceError, toQuiesceError, type Problem } from '../../errors.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import type { WorkerSettings } from '../../config.ts';
import type { SpooledFeed } from '../../protocol/workers/mirror-job.ts';
import type { Counts, RunRecord } from '../../protocol/api/runs.ts';
import { spoolPrefix } from '../../protocol/feed/spool-prefix.ts';
import { askedBy, claimingEntry, claimRun, refuseClaim, releaseRun } from '../gate/exclusive/exclusive.ts';
import { runInProgress } from '../../protocol/workers/run-in-progress.ts';
import { accepted, readFeedHeaders, type FeedHeaders } from './headers.ts';
import { entryOf } from '../gate/in-flight/entry.ts';
import { refuse, refuseMethod } from '../gate/shut/refusal.ts';
import { serveRuns } from './run-routes.ts';
import { requestTimeout } from '../process/link.ts';
import { getRuntime, type Runtime } from '../process/runtime.ts';
import { markSpecial, rememberSpecial, type Place } from '../gate/routes/special-routes.ts';
import { warn, warnOfDatabase, warnsForAll } from '../gate/routes/start-warnings.ts';
import { authorize } from './access.ts';
import { dryRunOf, readSyncQuery } from './query.ts';
import { pathOf } from '../gate/routes/target.ts';
import { claimFor, takeDeliveries } from './deliveries.ts';
import { itemLimitsOf, withItems, workForRun } from './items/for-run.ts';
import { checkSteps, workOnFeed } from './items/handle.ts';
import type { ItemSteps } from './items/messages.ts';
import { checkOptions, type CheckedOptions, type MirrorOptions } from './mirror-options.ts';
import { submit } from './run-hooks.ts';
import { spool } from './upload.ts';

/** How long the modules of `transform` and `validate` may take to load when the app starts, ms. */
const stepsPatience = 30_000;

/**
 * An Express handler that makes a MongoDB collection equal to the JSON array (or NDJSON) in the body of a `PUT`, while
 * the whole cluster is quiesced. `docs/http-api.md` has every answer.
 *
 * Mount it with `app.use(path, mirror(…))`, which serves the runs under the same path, or with `app.put(path, mirror(…))`
 * to take feeds only: its answers then have no `Location`, since the runs have no path.
 *
 * @throws TypeError if an option has the wrong type.
 */
export function mirror(options: MirrorOptions): RequestHandler {
  const checked = checkOptions(options);
  warnOfDatabase(checked.mirror);
  if (checked.steps !== null) warnOfSteps(checked.steps);
  takeDeliveries(checked);

  function quiesceMirror(req: Request, res: Response): void {
    const place = rememberSpecial(quiesceMirror, req);
    // In a route, the run is a parameter; in a mounted handler, it follows the mount point.
    const run = place.route === undefined ? req.path.slice(1) : (req.params['id'] ?? '');
    if (req.method === 'PUT' && run === '') {
      put(req, res, checked, place).catch((error: unknown) => fail(req, res, error));
    } else if (req.method === 'GET' || req.method === 'HEAD') {
      const entry = entryOf(req);
      if (entry) getRuntime().gate.exempt(entry); // a page that follows a run must not keep it from draining
      serveRuns(req, res, String(run), checked.mirror).catch((error: unknown) => fail(req, res, error));
    } else {
      refuseMethod(req, res, run === '' ? 'GET, HEAD, PUT' : 'GET, HEAD');
    }
  }

  markSpecial(quiesceMirror, {
    isFree: (req) => req.method === 'GET' || req.method === 'HEAD' || dryRunOf(req.url) === true,
    refuse: (req, res, run, place) => {
      void getRuntime()
        .settings.then((settings) => authorize(req, settings.sync.token))
        .then(
          () => refuseClaim(req, res, runInProgress(run), servesRuns(place) ? locationOf(req) : undefined),
          (error: unknown) => fail(req as Request, res as Response, error),
        );
    },
  });
  return quiesceMirror;
}

async function put(req: Request, res: Response, checked: CheckedOptions, place: Place): Promise<void> {
  const runtime = getRuntime();
  runtime.requirePrimary();
  const settings = await runtime.settings;
  authorize(req, settings.sync.token);
  const headers = readFeedHeaders(req, settings.sync.maxBytes);
  if (req.readableDidRead)
    throw new QuiesceError(
      'internal',
      'Something has read the body before mirror() got the request. Put mirror() before express.json() and whatever else reads bodies.',
    );
  const query = readSyncQuery(req.url);
  const { mirror, steps, hooks } = checked;
  const items = query.items ?? checked.items;
  const options = query.maxDeletes === null ? mirror : { ...mirror, maxDeletes: query.maxDeletes };
  if (query.dryRun) return dryRun(runtime, req, res, { mirror: options, steps, items }, headers, settings);

  const location = locationOf(req);
  claimingEntry(req, res);
  let run: string;
  try {
    // Until the feed is handed over, its items may be processed for as long as a run may take.
    run = await claimRun(
      runtime,
      { ...askedBy(req), ...claimFor(mirror) },
      'sync',
      steps === null ? undefined : settings.sync.runTimeout,
    );
  } catch (error) {
    return refuseClaim(req, res, error, servesRuns(place) ? location : undefined);
  }
  let feed: SpooledFeed;
  try {
    feed = await runtime.link.unlessLost(spool(req, spoolPath(runtime, settings, run), headers, limitsOf(settings)));
    feed = withItems(feed, items);
    if (steps !== null) feed = await workForRun(runtime, run, feed, steps, settings);
  } catch (error) {
    // A client that has its answer can send the next feed at once, to any worker.
    await releaseRun(runtime, run, toQuiesceError(error, 'run-failed').toProblem(location(run)));
    throw error;
  }
  const whereItIs = { ...(servesRuns(place) ? { Location: location(run) } : {}), 'Quiesce-Run': run };
  let end: Promise<RunRecord>;
  try {
    ({ ended: end } = await submit(runtime, { run, feed, mirror: options, hooks }, location(run)));
  } catch (error) {
    // A lost primary may have taken the feed; then the next primary continues the run.
    return fail(req, res, error, runtime.link.lost ? whereItIs : {});
  }
  // From here on the run belongs to the primary: it continues even if this client leaves.
  if (headers.prefer.respondAsync) return answerAccepted(res, { ...whereItIs, 'Preference-Applied': 'respond-async' });
  let ended: RunRecord;
  try {
    ended = await end;
  } catch (error) {
    // The next primary continues the run and reports its result under the same id.
    return fail(req, res, error, whereItIs);
  }
  if (!isEnded(ended.state)) return answerAccepted(res, whereItIs);
  answerEnded(req, res, ended, headers);
}

/** Validates and compares without a claim: the cluster serves on, and nothing is written. */
async function dryRun(
  runtime: Runtime,
  req: Request,
  res: Response,
  { mirror, steps, items }: Pick<CheckedOptions, 'mirror' | 'steps' | 'items'>,
  headers: FeedHeaders,
  settings: WorkerSettings,
): Promise<void> {
  const entry = entryOf(req);
  if (entry) runtime.gate.exempt(entry);
  const { link } = runtime;
  const end = (): void => void link.request<'end-dry-run'>({ op: 'end-dry-run' }).catch(() => {}); // lost: it ends with us
  await link.request<'begin-dry-run'>({ op: 'begin-dry-run' }, { timeout: requestTimeout, late: end });
  let feed: SpooledFeed;
  try {
    const path = spoolPath(runtime, settings, randomUUID());
    feed = withItems(await link.unlessLost(spool(req, path, headers, limitsOf(settings))), items);
    if (steps !== null) feed = await link.unlessLost(workOnFeed(feed, steps, itemLimitsOf(settings)));
  } catch (error) {
    end();
    throw error;
  }
  // The primary removes the spool.
  const report = await link.request<'dry-run'>({ op: 'dry-run', feed, mirror });
  res.set({ 'Quiesce-Counts': countsHeader(report.counts), 'Cache-Control': 'no-store' });
  if (headers.prefer.representation) res.set('Preference-Applied', 'return=representation');
  res.status(200).json(report);
}

function spoolPath({ link }: Runtime, { spoolDir }: WorkerSettings, name: string): string {
  return join(spoolDir, `${spoolPrefix(link.identity)}${name}.feed`);
}

function limitsOf(settings: WorkerSettings): { maxBytes: number; timeout: number } {
  return { maxBytes: settings.sync.maxBytes, timeout: settings.sync.uploadTimeout };
}

/** Warns at the start, not at the first feed at night; only one worker warns. */
function warnOfSteps(steps: ItemSteps): void {
  if (!warnsForAll(getRuntime())) return;
  checkSteps(steps, stepsPatience).catch((error: unknown) =>
    warn(`Each feed will be refused. ${toQuiesceError(error).message}`, 'QUIESCE_ITEMS'),
  );
}

function answerAccepted(res: Response, headers: Record<string, string>): void {
  res
    .status(202)
    .set({ 'Cache-Control': 'no-store', ...headers })
    .end();
}

function answerEnded(req: Request, res: Response, run: RunRecord, { prefer }: FeedHeaders): void {
  if (run.state !== 'succeeded' || run.report === undefined) {
    const error =
      run.error === undefined
        ? new QuiesceError('run-failed', 'The run ended without a report.')
        : QuiesceError.fromProblem(run.error as Problem);
    return fail(req, res, error, { 'Quiesce-Run': run.id });
  }
  res.set({ 'Quiesce-Run': run.id, 'Quiesce-Counts': countsHeader(run.report.counts), 'Cache-Control': 'no-store' });
  if (prefer.representation !== null)
    res.set('Preference-Applied', `return=${prefer.representation ? 'representation' : 'minimal'}`);
  if (prefer.representation) res.status(200).json(run.report);
  else res.status(204).end();
}

function countsHeader({ inserted, updated, deleted, unchanged }: Counts): string {
  return `inserted=${inserted}, updated=${updated}, deleted=${deleted}, unchanged=${unchanged}`;
}

function fail(req: Request, res: Response, error: unknown, headers: Record<string, string> = {}): void {
  const known = toQuiesceError(error, 'internal');
  refuse(req, res, known, {
    headers: {
      ...headers,
      ...(known.code === 'unsupported-media-type' ? accepted : {}),
      ...(known.code === 'unauthorized' ? { 'WWW-Authenticate': 'Bearer realm="quiesce"' } : {}),
      ...(known.status === 503 || known.code === 'run-in-progress'
        ? { 'Retry-After': String(getRuntime().gate.retryAfter) }
        : {}),
    },
  });
}

/** Whether the handler also serves `GET <its path>/<run>`: a mounted one does, a route only if it is declared so. */
function servesRuns({ route }: Place): boolean {
  if (route === undefined) return true;
  const { methods = {}, path } = route;
  return Boolean(methods['_all'] ?? methods['get']) && typeof path === 'string' && path.includes(':id');
}

/** Starts with a single slash: with two it would be a URL of another host. */
function locationOf(req: IncomingMessage): (run: string) => string {
  return (run) => `/${pathOf(req).split('/').filter(Boolean).join('/')}/${run}`;
}
