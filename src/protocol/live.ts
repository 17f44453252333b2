/**
 * What `GET /api/events` tells beside the status: the last minutes second by second, the pauses, the log.
 * Times are ISO 8601 strings, durations milliseconds.
 */
import { z } from 'zod';
import { holdStatus, runRecord } from './runs.ts';

const rate = z.number().nonnegative();
const count = z.int().nonnegative();

/** `rate`: gated requests admitted per second; `cpu`, `memory` and `eventLoopDelay` as in the status. */
export const workerSample = z.object({
  slot: z.int(),
  incarnation: z.int(),
  rate,
  inFlight: count,
  cpu: z.number(),
  memory: z.number(),
  eventLoopDelay: z.number(),
});
export type WorkerSample = z.infer<typeof workerSample>;

/** The cluster at one moment. `served` and `refused` are requests per second. */
export const sample = z.object({ at: z.string(), served: rate, refused: rate, workers: z.array(workerSample) });
export type Sample = z.infer<typeof sample>;

/**
 * One time during which the gates were shut. `epoch` is the first it had and names it; `holds` are those that stood at
 * any moment of it; `drained`: when the last worker had come to rest for the first time; `refused`: requests answered 503.
 */
export const pauseRecord = z.object({
  epoch: count,
  from: z.string(),
  drained: z.string().optional(),
  to: z.string().optional(),
  holds: z.array(holdStatus),
  refused: count,
});
export type PauseRecord = z.infer<typeof pauseRecord>;

/** One line of the supervisor's log, as pino writes it. `slot` and `stream` tell a worker's own output. */
export const logLine = z.looseObject({
  level: z.int(),
  time: z.union([z.number(), z.string()]),
  msg: z.string().optional(),
  slot: z.int().optional(),
  incarnation: z.int().optional(),
  stream: z.enum(['stdout', 'stderr']).optional(),
});
export type LogLine = z.infer<typeof logLine>;

/**
 * All that is remembered, the oldest first. `trusted`: the reader may change things, and sees the log; `log` is empty
 * otherwise.
 */
export const history = z.object({
  startedAt: z.string(),
  trusted: z.boolean(),
  samples: z.array(sample),
  pauses: z.array(pauseRecord),
  runs: z.array(runRecord),
  log: z.array(logLine),
});
export type History = z.infer<typeof history>;
