/**
 * What the outside gets about runs and the cluster: the schemas of `GET /api/sync/<id>`, `GET /api/status` and the
 * commands that show the same. They validate what crosses a process boundary, and their descriptions are those in
 * docs/openapi.json.
 */
import * as z from '../../vendor/zod.ts';
import { sourceStatus } from './source-status.ts';
import { holdKinds, namesOf, runKinds, runOutcomes, runSteps, strategies } from '../words.ts';

const ms = z.number().nonnegative();
const count = z.int().nonnegative();
/** ISO 8601. Validated as text: a date that somebody wrote by hand must not lose a run. */
const time = z.string().meta({ format: 'date-time' });

export const holdKind = z.enum(namesOf(holdKinds));

export const phase = z.enum(['serving', 'draining', 'quiesced']);
export type Phase = z.infer<typeof phase>;

export const holdStatus = z
  .object({
    kind: holdKind,
    reason: z.string(),
    since: time,
    until: time.optional().describe('When it ends by itself.'),
    by: z.string().optional().describe('Who asked for it, where that is known.'),
    allHosts: z.literal(true).optional().describe('An operator holds every host of the cluster, not this one alone.'),
    wayIn: z.boolean().optional().describe('There is a link by which one passes it.'),
  })
  .describe('A reason to keep the gates shut. They open when none is left.');
export type HoldStatus = z.infer<typeof holdStatus>;

export const scheduledHold = z
  .object({
    at: time.describe('When it begins.'),
    until: time.optional().describe('When it ends by itself.'),
    reason: z.string().optional(),
    by: z.string().optional().describe('Who asked for it, where that is known.'),
    allHosts: z.literal(true).optional().describe('It will hold every host of the cluster.'),
  })
  .describe('An operator hold that begins by itself.');
export type ScheduledHoldStatus = z.infer<typeof scheduledHold>;

export const waitingRequest = z
  .object({
    slot: z.int().nonnegative(),
    method: z.string(),
    path: z
      .string()
      .describe(
        'At most 200 characters of it. To those without the token of the admin server: the route, or … where none is known.',
      ),
    route: z.string().optional().describe('What the app calls it, such as `/orders/:id`, where Express has found it.'),
    age: ms.describe('Milliseconds.'),
    clientGone: z.boolean().optional().describe('Nobody waits for its answer any more; its handler still runs.'),
  })
  .describe('A request that keeps a drain waiting.');
export type WaitingRequest = z.infer<typeof waitingRequest>;

export const counts = z.object({ inserted: count, updated: count, deleted: count, unchanged: count });
export type Counts = z.infer<typeof counts>;

export const strategyUsed = z.enum(strategies).describe('How the differences were found and written.');

export const runState = z
  .enum(['uploading', 'preparing', 'draining', 'running', 'rolling-forward', ...runOutcomes])
  .describe(
    'uploading: the body is being spooled, then `transform` and `validate` run; preparing: it is read and checked, and the cluster serves; draining: requests in flight are finishing; running: compared and written, or the exclusive handler runs; rolling-forward: one that stopped half-way is being finished; then one of the ends.',
  );
export type RunState = z.infer<typeof runState>;

export const progress = z.object({
  step: z.enum(runSteps),
  done: count.describe('Items of this step.'),
  total: count.optional().describe('Unknown at first.'),
  rate: z.number().nonnegative().optional().describe('Items per second.'),
  eta: ms.optional().describe('Milliseconds that are left of this step.'),
});
export type Progress = z.infer<typeof progress>;

export const timings = z
  .object({
    upload: ms,
    prepare: ms,
    drain: ms,
    scan: ms,
    write: ms,
    paused: ms.describe('How long requests were refused.'),
    total: ms,
  })
  .describe('All in milliseconds.');

export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  instance: z.string().optional(),
});
export type ProblemRecord = z.infer<typeof problem>;

export const feedSummary = z.object({
  items: count,
  bytes: count.describe('As they came, before decoding.'),
  digest: z.string().describe('Of those bytes, as a `Content-Digest` has it (RFC 9530).'),
});

export const report = z
  .object({
    id: z.string(),
    epoch: count.describe('The pause it was written in; 0 where there was none.'),
    state: runState,
    feed: feedSummary,
    counts,
    timings,
    strategy: strategyUsed,
    workers: count,
    refused: count.describe('Requests answered 503 meanwhile.'),
    forced: count.describe('Requests that were cut off (`on_drain_timeout: force`).'),
    startedAt: time,
    endedAt: time,
    error: problem.optional(),
    afterError: problem.optional().describe('What `after` of `mirror()` failed with; the mirror stays as it is.'),
  })
  .describe('What a mirror run did.');
export type Report = z.infer<typeof report>;

export const runKind = z
  .enum(namesOf(runKinds))
  .describe(
    'sync: a feed; exclusive: a handler of the app; exec: a command of `quiesce exec`, or the work of a program (`exclusive` of quiesce/primary).',
  );

export const runRecord = z
  .object({
    id: z.string(),
    kind: runKind,
    state: runState,
    epoch: count.optional().describe('Its pause, once there is one.'),
    owner: z
      .object({ slot: z.int(), incarnation: z.int(), method: z.string(), path: z.string() })
      .optional()
      .describe(
        "The worker and the request that asked for it. The app's own `/api/sync` shows `…` in place of the path of an exclusive run.",
      ),
    collection: z.string().optional().describe('Of a sync: the collection that becomes equal to the feed.'),
    scope: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Of a sync: the members of the documents that belong to its mirror. Only the admin server tells it.'),
    source: z
      .string()
      .optional()
      .describe(
        'Where the primary has fetched the feed, without what may be a secret. Only the admin server tells it.',
      ),
    startedAt: time,
    endedAt: time.optional(),
    confirmedAt: time
      .optional()
      .describe('Of a feed that was fetched: when its server said last that it has not changed since this run.'),
    progress: progress.optional(),
    report: report.optional(),
    error: problem.optional(),
    notes: z.array(z.string()).optional().describe('What happened beside the plan, such as a restart of the primary.'),
  })
  .describe('One exclusive run, as far as it has come.');
/**
 * One exclusive run, as far as it has come:
 * a mirror run, an exclusive handler or a command. docs/http-api.md describes its members.
 */
export type RunRecord = z.infer<typeof runRecord>;

export const workerState = z.enum(['starting', 'serving', 'draining', 'quiesced', 'stopping', 'waiting']);
export type WorkerState = z.infer<typeof workerState>;

export const exitCause = z.enum(['planned', 'crash', 'boot-failure', 'heartbeat', 'memory', 'killed']);
/** Why a worker is gone: the kind of its exit (planned, crash, boot failure), or why the primary ended it. */
export type ExitCause = z.infer<typeof exitCause>;

export const lastExit = z
  .object({
    incarnation: z.int(),
    cause: exitCause,
    code: z.int().nullable(),
    signal: z.string().nullable(),
    reason: z.string().optional().describe('What is known of why: what it wrote last, or why it was ended.'),
    at: time,
  })
  .describe('The last end in this slot that nobody asked for.');
export type LastExit = z.infer<typeof lastExit>;

export const workerStatus = z.object({
  slot: z.int().describe('Its stable number; a replacement takes it over.'),
  incarnation: z.int().describe('Grows with each process in the slot.'),
  pid: z.int().nullable(),
  state: workerState,
  inFlight: count.describe('Gated requests whose handlers run.'),
  cpu: z.number().describe('Percent of one core.'),
  memory: z.number().describe('Resident set size, bytes.'),
  eventLoopDelay: z.number().describe('99th percentile, milliseconds.'),
  restarts: count.describe('Ends that nobody asked for, and replacements for memory.'),
  uptime: ms.describe('Milliseconds.'),
  lastExit: lastExit.optional(),
  nextTry: time.optional().describe('When the slot, which waits, gets its next worker.'),
});
export type WorkerStatus = z.infer<typeof workerStatus>;

export const settingChange = z
  .object({
    setting: z.string().describe('Its name in the file, such as `env.COLOR`.'),
    from: z.string().describe('What it was, or `not set`; `(hidden)` where it looks like a secret.'),
    to: z.string(),
    needsPrimary: z.boolean().describe('Only a new primary can take it; until then the old value holds.'),
  })
  .describe('A setting that the file has changed.');
/** A setting that the file has changed: its name, what it was and is, and whether only a new primary can take it. */
export type SettingChange = z.infer<typeof settingChange>;

export const hostState = z.enum(['serving', 'draining', 'quiesced', 'away']);
export type HostState = z.infer<typeof hostState>;

export const hostStatus = z
  .object({
    name: z.string().describe('The name of its machine; several on one machine get a number.'),
    here: z.boolean().describe('It is the one that answers.'),
    state: hostState.describe('away: it has not renewed its lease in time.'),
    lease: z.number().describe('How long the others still count on it, milliseconds; below 0 where that is over.'),
    version: z.string().optional().describe('Of quiesce.'),
  })
  .describe('A host of the cluster, as the host that answers knows it.');
export type HostStatus = z.infer<typeof hostStatus>;

export const hostsReload = z
  .object({
    host: z.string().describe('The one that is at it.'),
    done: count.describe('Hosts that have the new configuration.'),
    of: count,
  })
  .describe('A reload of all hosts, one after another, that is going on.');
export type HostsReload = z.infer<typeof hostsReload>;

export const clusterStatus = z.object({
  name: z.string(),
  pid: z.int().describe('Of the primary.'),
  phase,
  epoch: count.describe('Grows with every pause.'),
  holds: z.array(holdStatus),
  scheduled: scheduledHold.optional(),
  hosts: z.array(hostStatus).optional().describe('Of the cluster, where `quiesce.cluster.name` is set.'),
  hostsReload: hostsReload.optional(),
  workers: z.array(workerStatus),
  run: runRecord.nullable().describe('The run that is going on, or the last one.'),
  waitingFor: z.array(waitingRequest).describe('The requests that keep a drain waiting, the oldest first.'),
  sources: z.array(sourceStatus).optional().describe('The feeds that the primary fetches.'),
  warnings: z.array(z.string()).optional().describe('What an operator has to see to, such as a full disk.'),
});
/** What a site is at: what `quiesce status --json` prints. docs/http-api.md describes its members. */
export type ClusterStatus = z.infer<typeof clusterStatus>;

export const reloadAnswer = clusterStatus
  .extend({
    changes: z.array(settingChange).describe('What the configuration changes, since the last reload or the start.'),
    dryRun: z.boolean().describe('Nothing was changed.'),
  })
  .describe('The status after a reload, and what it has changed.');
export type ReloadAnswer = z.infer<typeof reloadAnswer>;
