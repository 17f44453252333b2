/**
 * The schemas of `GET /api/events` besides the status: the last minutes second by second, the pauses, the log. Times
 * are ISO 8601 strings, durations milliseconds.
 */
import * as z from '../../vendor/zod.ts';
import { holdStatus, runRecord } from './runs.ts';

const rate = z.number().nonnegative();
const count = z.int().nonnegative();

/** `cpu`, `memory` and `eventLoopDelay` as in the status. */
export const workerSample = z.object({
  slot: z.int(),
  incarnation: z.int(),
  rate: rate.describe('Gated requests admitted per second.'),
  inFlight: count,
  cpu: z.number(),
  memory: z.number(),
  eventLoopDelay: z.number(),
});
export type WorkerSample = z.infer<typeof workerSample>;

export const sample = z
  .object({ at: z.string(), served: rate, refused: rate, workers: z.array(workerSample) })
  .describe('The cluster at one moment. `served` and `refused` are requests per second.');
export type Sample = z.infer<typeof sample>;

export const pauseRecord = z
  .object({
    epoch: count.describe('The first it had; names it.'),
    from: z.string(),
    drained: z.string().optional().describe('When the last worker had come to rest for the first time.'),
    to: z.string().optional(),
    holds: z.array(holdStatus).describe('Those that stood at any moment of it.'),
    refused: count.describe('Requests answered 503.'),
  })
  .describe('One time during which the gates were shut.');
export type PauseRecord = z.infer<typeof pauseRecord>;

export const logLine = z
  .looseObject({
    level: z.int(),
    time: z.union([z.number(), z.string()]),
    msg: z.string().optional(),
    slot: z.int().optional(),
    incarnation: z.int().optional(),
    stream: z.enum(['stdout', 'stderr']).optional().describe("A worker's own output."),
  })
  .describe("One line of the supervisor's log, as pino writes it.");
export type LogLine = z.infer<typeof logLine>;

export const history = z
  .object({
    startedAt: z.string(),
    trusted: z.boolean().describe('The reader may change things, and sees the log.'),
    samples: z.array(sample),
    pauses: z.array(pauseRecord),
    runs: z.array(runRecord),
    log: z.array(logLine).describe('Empty where the reader is not trusted.'),
  })
  .describe('All that is remembered, the oldest first.');
export type History = z.infer<typeof history>;
