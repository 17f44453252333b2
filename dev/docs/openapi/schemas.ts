/** The schemas that validate, under the names that the description of HTTP gives them. */
import * as z from '#quiesce/vendor/zod.js';
import * as live from '#quiesce/protocol/api/live.js';
import { dryRunReport } from '#quiesce/protocol/workers/messages.js';
import * as runs from '#quiesce/protocol/api/runs.js';

/** JSON Schema 2020-12, as far as it is looked into here. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly [keyword: string]: unknown;
}

const named = {
  Counts: runs.counts,
  DryRunReport: dryRunReport,
  FeedSummary: runs.feedSummary,
  History: live.history,
  Hold: runs.holdStatus,
  LogLine: live.logLine,
  Pause: live.pauseRecord,
  Phase: runs.phase,
  Problem: runs.problem,
  Progress: runs.progress,
  ReloadAnswer: runs.reloadAnswer,
  Report: runs.report,
  Run: runs.runRecord,
  Sample: live.sample,
  ScheduledHold: runs.scheduledHold,
  SettingChange: runs.settingChange,
  Status: runs.clusterStatus,
  Timings: runs.timings,
  WaitingRequest: runs.waitingRequest,
  Worker: runs.workerStatus,
  WorkerSample: live.workerSample,
} as const;
export type SchemaName = keyof typeof named;

export function ref(name: SchemaName): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

/** Sends one of a kind for each name, and refers to the others by it. */
export function componentSchemas(): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, plain(schema)]));
}

/** What a request must look like, before it is parsed. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  return plain(z.toJSONSchema(schema, { io: 'input' }));
}

function plain(schema: object): JsonSchema {
  const { $schema: _dialect, $id: _id, ...rest } = schema as JsonSchema;
  return withoutSafeIntegers(rest) as JsonSchema;
}

/** Every integer of JavaScript is a safe one; to say so at each is noise. */
function withoutSafeIntegers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSafeIntegers);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([key, member]) =>
      !((key === 'maximum' || key === 'minimum') && Math.abs(Number(member)) === Number.MAX_SAFE_INTEGER),
  );
  return Object.fromEntries(entries.map(([key, member]) => [key, withoutSafeIntegers(member)]));
}
