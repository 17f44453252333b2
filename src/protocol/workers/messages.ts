/**
 * Every message between the primary and its workers: one discriminated union each way, validated on arrival.
 *
 * A message carries the slot and incarnation of the worker it comes from or goes to, and the epoch its sender
 * was in, so that the receiver recognises a late message.
 */
import * as z from '../../vendor/zod.ts';
import type { WorkerSettings } from '../../config.ts';
import { broughtSources } from './brought-source.ts';
import { pass } from '../hold/pass-schema.ts';
import { mirrorOptions, spooledFeed } from './mirror-job.ts';
import { requestBuckets } from './request-times.ts';
import { counts, feedSummary, holdStatus, problem, runRecord, timings } from '../api/runs.ts';
import { gateStates, requestedKinds, runOutcomes } from '../words.ts';

const envelope = {
  /** Marks the message as ours among those of the app itself and of node:cluster. */
  quiesce: z.literal(1),
  slot: z.int().nonnegative(),
  incarnation: z.int().nonnegative(),
  epoch: z.int().nonnegative(),
};

/** The hooks that the app runs in the pause of a mirror, in the worker that got the feed. */
export const runHook = z.enum(['before', 'after']);
export type RunHook = z.infer<typeof runHook>;

/** The requests of a worker to the primary; each is answered with one `reply`. */
export const requestBody = z.discriminatedUnion('op', [
  /** Requests the right to be the next exclusive run. A sync is answered at once, another run when all is quiesced. */
  z.object({
    op: z.literal('claim'),
    kind: z.enum(requestedKinds),
    method: z.string(),
    path: z.string(),
    /** Of a sync. */
    collection: z.string().optional(),
    scope: z.record(z.string(), z.unknown()).optional(),
    /** The address of a feed that the primary has fetched. */
    source: z.string().optional(),
    /** How long the handler may work; for a sync, how long its worker may process the items of the feed, ms. */
    timeout: z.number().positive().optional(),
  }),
  /** The feed of a claimed run is complete. Answered when the primary has taken it over. */
  z.object({
    op: z.literal('submit'),
    run: z.string(),
    feed: spooledFeed,
    mirror: mirrorOptions,
    hooks: z.array(runHook).optional(),
  }),
  /** A `run-hook` has ended; `problem` if it failed. */
  z.object({ op: z.literal('hook-ended'), run: z.string(), hook: runHook, problem: problem.optional() }),
  /** Answered when the run has ended, or earlier with its state, if it rolls forward or this worker must end. */
  z.object({ op: z.literal('wait'), run: z.string() }),
  /** May this worker upload a feed for a dry run? Answered when it may, or refused with `run-in-progress`. */
  z.object({ op: z.literal('begin-dry-run') }),
  /** The worker gives up its dry run: no feed follows. */
  z.object({ op: z.literal('end-dry-run') }),
  /** Requests what a run of this feed would do, and ends the dry run of this worker. Answered with counts. */
  z.object({ op: z.literal('dry-run'), feed: spooledFeed, mirror: mirrorOptions }),
  /** Reports a mirror of the app. Answered at once; the primary warns of what the database forbids its feeds. */
  z.object({ op: z.literal('foresee'), mirror: mirrorOptions }),
  /** Of a worker that is forked while another primary serves: may it listen? Answered when this primary has taken over. */
  z.object({ op: z.literal('may-listen') }),
  /** The app is about to listen on this Unix socket. Answered when no socket of a killed process is in the way. */
  z.object({ op: z.literal('clear-socket'), path: z.string() }),
  /** The owner of a claimed or running run has finished, or failed. Answered with whether the run still goes on. */
  z.object({ op: z.literal('release'), run: z.string(), problem: problem.optional() }),
  /** `mirror`: only those of this mirror. */
  z.object({
    op: z.literal('runs'),
    limit: z.int().positive().max(1000),
    mirror: mirrorOptions.pick({ collection: true, scope: true }).optional(),
  }),
  z.object({ op: z.literal('run'), run: z.string() }),
  /** From now on each change of this run comes as a `run-changed`. Answered with the run. */
  z.object({ op: z.literal('watch'), run: z.string() }),
]);
export type RequestBody = z.infer<typeof requestBody>;

/** The answer to each request. */
export interface Replies {
  claim: { run: string };
  submit: z.infer<typeof runRecord>;
  'hook-ended': null;
  wait: z.infer<typeof runRecord>;
  'begin-dry-run': null;
  'end-dry-run': null;
  'dry-run': DryRunReport;
  foresee: null;
  'may-listen': null;
  'clear-socket': null;
  release: { goesOn: boolean };
  runs: z.infer<typeof runRecord>[];
  run: z.infer<typeof runRecord>;
  watch: z.infer<typeof runRecord>;
}

export const dryRunReport = z
  .object({
    feed: feedSummary,
    counts,
    timings: timings.pick({ upload: true, prepare: true, scan: true, total: true }),
    notes: z
      .array(z.string())
      .optional()
      .describe('What only MongoDB can judge, so that a run may be refused all the same.'),
  })
  .describe('What a run of this feed would do.');
export type DryRunReport = z.infer<typeof dryRunReport>;

export const inFlightRequest = z.object({
  method: z.string(),
  path: z.string(),
  route: z.string().optional(),
  age: z.number().nonnegative(),
  clientGone: z.boolean().optional(),
});
export type InFlightRequest = z.infer<typeof inFlightRequest>;

/** Sent regularly; a worker that stops sending it is stuck. Times in ms. */
export const heartbeat = z.object({
  gate: z.enum(gateStates),
  inFlight: z.int().nonnegative(),
  /** 99th percentile since the last heartbeat. */
  eventLoopDelay: z.number().nonnegative(),
  /** Gated requests since the worker started, by outcome. */
  served: z.int().nonnegative(),
  refused: z.int().nonnegative(),
  /** Requests answered with a problem since the worker started, by its code. */
  problems: z.record(z.string(), z.int().nonnegative()),
  /** Durations of gated requests, from the admission until all of their work has ended. */
  times: z.object({ counts: z.array(z.int().nonnegative()).length(requestBuckets), sum: z.number().nonnegative() }),
  /** The oldest requests in flight, at most 20, while shut. */
  oldest: z.array(inFlightRequest),
});
export type Heartbeat = z.infer<typeof heartbeat>;

export const fromWorker = z.discriminatedUnion('type', [
  z.object({ ...envelope, type: z.literal('hello'), pid: z.int() }),
  /** Zero requests in flight, in the epoch of the envelope. */
  z.object({ ...envelope, type: z.literal('drained') }),
  /** A drain waited for this request, whose client read nothing of the answer: its connection was cut. */
  z.object({ ...envelope, type: z.literal('cut-off'), request: inFlightRequest }),
  /** The sources of all mirrors of this worker, `mirror({ source })`. */
  z.object({ ...envelope, type: z.literal('sources'), sources: broughtSources }),
  /** What became of a `take-feed`: a run, or why not. */
  z.object({
    ...envelope,
    type: z.literal('feed-taken'),
    delivery: z.string(),
    run: z.string().optional(),
    problem: problem.optional(),
  }),
  z.object({ ...envelope, type: z.literal('heartbeat'), beat: heartbeat }),
  /** It was told to stop and needs more time for its requests in flight, or needs it no longer. */
  z.object({ ...envelope, type: z.literal('answering'), answering: z.boolean() }),
  z.object({ ...envelope, type: z.literal('request'), id: z.int(), body: requestBody }),
  /** The worker ends by itself and says why, for example because the app threw while it was loaded. */
  z.object({
    ...envelope,
    type: z.literal('failed'),
    message: z.string(),
    code: z.string().optional(),
  }),
]);
export type FromWorker = z.infer<typeof fromWorker>;

/** The type follows from the declarations of the settings. The values were validated when the file was read. */
const workerSettings = z.looseObject({}) as z.ZodType<object> as z.ZodType<WorkerSettings>;

/** What a shut gate answers to the requests that it refuses. `retryAfter`: ms from the arrival of the message. */
export const pauseInfo = z.object({
  holds: z.array(holdStatus),
  /** The run that is the reason, or that has been claimed. */
  run: z.string().nullable(),
  retryAfter: z.number().nonnegative(),
  /** Only if an operator alone holds the gate: requests from allowed addresses, and those with the secret, pass it. */
  wayIn: z.object({ secret: pass.nullable() }).optional(),
});
export type PauseInfo = z.infer<typeof pauseInfo>;

/** What a mirror run may have changed, for the caches of the app. */
export const mirrored = z.object({
  run: z.string(),
  collection: z.string(),
  outcome: z.enum(runOutcomes),
  /** Null if the run did not succeed. */
  counts: counts.nullable(),
  /** The keys of the changed documents; null if there are too many, or if they are unknown. */
  keys: z.array(z.unknown()).nullable(),
});
export type Mirrored = z.infer<typeof mirrored>;

/** How long a worker that stops has, ms. */
const grace = z.object({
  /** Until the SIGKILL. */
  timeout: z.number(),
  /** Until the SIGKILL, if the worker reports in time that it still answers requests. */
  answerTimeout: z.number(),
  /** For WebSockets, if the app has no clean-up that would close them. */
  webSocketTimeout: z.number(),
});
export type Grace = z.infer<typeof grace>;

export const toWorker = z.discriminatedUnion('type', [
  z.object({ ...envelope, type: z.literal('welcome'), settings: workerSettings }),
  z.object({ ...envelope, type: z.literal('pause'), info: pauseInfo }),
  /** `mirrored`: the runs that this worker may not have heard of. Their listeners run before the first request. */
  z.object({ ...envelope, type: z.literal('resume'), mirrored: z.array(mirrored).optional() }),
  /** The estimate, the holds or the run have changed, or a run has ended; the phase has not. */
  z.object({ ...envelope, type: z.literal('pause-info'), info: pauseInfo, mirrored: z.array(mirrored).optional() }),
  /** Stop waiting for requests in flight (`on_drain_timeout: 'force'`): connections are cut, the worker exits. */
  z.object({ ...envelope, type: z.literal('cut') }),
  /**
   * With several hosts: no request is admitted after `deadline` (CLOCK_MONOTONIC, ms), and those in flight have `grace`
   * ms. `sleepOffset`: what `sleepOffset()` returned when the deadline was counted.
   */
  z.object({
    ...envelope,
    type: z.literal('lease'),
    deadline: z.number(),
    sleepOffset: z.number(),
    grace: z.number(),
  }),
  /** Stop accepting, finish what is in flight, exit. Times in ms. */
  z.object({ ...envelope, type: z.literal('stop'), ...grace.shape }),
  /** Answer the client of the exclusive handler: the worker will be killed, since the run was cancelled or is late. */
  z.object({ ...envelope, type: z.literal('run-ended'), run: z.string(), problem }),
  z.object({
    ...envelope,
    type: z.literal('reply'),
    id: z.int(),
    value: z.unknown().optional(),
    problem: problem.optional(),
  }),
  /**
   * A feed that the primary has fetched, for the mirror of this collection; null: for the only one. With `scope`, for that
   * with this scope, or with none. Answered by `feed-taken`.
   */
  z.object({
    ...envelope,
    type: z.literal('take-feed'),
    delivery: z.string(),
    feed: spooledFeed,
    source: z.string(),
    collection: z.string().nullable(),
    scope: z.record(z.string(), z.unknown()).nullable().optional(),
  }),
  z.object({ ...envelope, type: z.literal('run-changed'), run: runRecord }),
  /** Answered with a request `hook-ended`. `counts` and `keys`: what the run has changed, only with `after`. */
  z.object({
    ...envelope,
    type: z.literal('run-hook'),
    run: z.string(),
    hook: runHook,
    counts: counts.optional(),
    keys: z.array(z.unknown()).nullable().optional(),
  }),
]);
export type ToWorker = z.infer<typeof toWorker>;
