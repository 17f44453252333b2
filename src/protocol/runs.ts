/**
 * What is told about runs and the cluster to the outside: the shapes of `GET /api/sync/<id>`,
 * `GET /api/status` and their CLI twins. The schemas validate what crosses a process boundary.
 */
import { z } from 'zod';

const ms = z.number().nonnegative();
const count = z.int().nonnegative();

export const holdKind = z.enum(['sync', 'exclusive', 'operator']);
export type HoldKind = z.infer<typeof holdKind>;

export const phase = z.enum(['serving', 'draining', 'quiesced']);
export type Phase = z.infer<typeof phase>;

/** Times are ISO 8601 strings. */
export const holdStatus = z.object({
  kind: holdKind,
  reason: z.string(),
  since: z.string(),
  until: z.string().optional(),
});
export type HoldStatus = z.infer<typeof holdStatus>;

/** A request that keeps a drain waiting; `age` in milliseconds. `clientGone`: nobody waits for its answer any more. */
export const waitingRequest = z.object({
  slot: z.int().nonnegative(),
  method: z.string(),
  path: z.string(),
  age: ms,
  clientGone: z.boolean().optional(),
});
export type WaitingRequest = z.infer<typeof waitingRequest>;

export const counts = z.object({ inserted: count, updated: count, deleted: count, unchanged: count });
export type Counts = z.infer<typeof counts>;

/** `strategy` says how the differences were found and written. */
export const strategyUsed = z.enum(['scan', 'two-phase', 'swap']);

/**
 * How far a run has come.
 * uploading: the body is being spooled · preparing: read, validated, serialised while the cluster serves ·
 * draining · writing · then one of the ends. `rolling-forward`: a run that a crash interrupted is being finished.
 */
export const runState = z.enum([
  'uploading',
  'preparing',
  'draining',
  'running',
  'rolling-forward',
  'succeeded',
  'failed',
  'abandoned',
]);
export type RunState = z.infer<typeof runState>;

export function isEnded(state: RunState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'abandoned';
}

/** Live progress: `done` of `total` (unknown at first) items in `step`; `rate` in items per second; `eta` in ms. */
export const progress = z.object({
  step: z.enum(['upload', 'prepare', 'drain', 'scan', 'write']),
  done: count,
  total: count.optional(),
  rate: z.number().nonnegative().optional(),
  eta: ms.optional(),
});
export type Progress = z.infer<typeof progress>;

/** All in milliseconds. `paused` is how long requests were refused. */
export const timings = z.object({
  upload: ms,
  prepare: ms,
  drain: ms,
  scan: ms,
  write: ms,
  paused: ms,
  total: ms,
});
export type Timings = z.infer<typeof timings>;

export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  instance: z.string().optional(),
});

/** The report of a mirror run. `refused`: requests answered 503 meanwhile; `forced`: stragglers that were cut off. */
export const report = z.object({
  id: z.string(),
  epoch: count,
  state: runState,
  feed: z.object({ items: count, bytes: count, digest: z.string() }),
  counts,
  timings,
  strategy: strategyUsed,
  workers: count,
  refused: count,
  forced: count,
  startedAt: z.string(),
  endedAt: z.string(),
  error: problem.optional(),
});
export type Report = z.infer<typeof report>;

/** One run as `GET /api/sync/<id>` shows it: the report's members as far as they are known, and live progress. */
export const runRecord = z.object({
  id: z.string(),
  kind: z.enum(['sync', 'exclusive']),
  state: runState,
  epoch: count.optional(),
  owner: z.object({ slot: z.int(), incarnation: z.int(), method: z.string(), path: z.string() }).optional(),
  startedAt: z.string(),
  endedAt: z.string().optional(),
  progress: progress.optional(),
  report: report.optional(),
  error: problem.optional(),
  /** What happened beside the plan, such as "rolled forward after a restart of the primary". */
  notes: z.array(z.string()).optional(),
});
export type RunRecord = z.infer<typeof runRecord>;

export const workerState = z.enum(['starting', 'serving', 'draining', 'quiesced', 'stopping', 'waiting']);
export type WorkerState = z.infer<typeof workerState>;

/** `cpu` in percent of one core, `memory` in bytes (RSS), `eventLoopDelay` (p99) and `uptime` in milliseconds. */
export const workerStatus = z.object({
  slot: z.int(),
  incarnation: z.int(),
  pid: z.int().nullable(),
  state: workerState,
  inFlight: count,
  cpu: z.number(),
  memory: z.number(),
  eventLoopDelay: z.number(),
  restarts: count,
  uptime: ms,
});
export type WorkerStatus = z.infer<typeof workerStatus>;

export const clusterStatus = z.object({
  name: z.string(),
  pid: z.int(),
  phase,
  epoch: count,
  holds: z.array(holdStatus),
  workers: z.array(workerStatus),
  run: runRecord.nullable(),
  waitingFor: z.array(waitingRequest),
});
export type ClusterStatus = z.infer<typeof clusterStatus>;
