/** The bodies of the admin interface's requests: schemas and parsing. */
import * as z from '../../vendor/zod.ts';
import { mostWorkers } from './operations.ts';
import type { MaintenanceChange, Order } from '../ports.ts';
import { QuiesceError } from '../../errors.ts';
import { longestName } from '../../protocol/api/order.ts';
import { isPassWord, passWordAllowed, passWordPattern } from '../../protocol/hold/pass.ts';
import { deadline, flag, integer, kind } from '../../config/values/kinds.ts';

const longestReason = 500;
const reason = kind(
  `text of at most ${longestReason} characters`,
  (value) => (typeof value === 'string' && value.length <= longestReason ? value : undefined),
  { type: 'string', maxLength: longestReason },
);

const by = kind(
  `a name of at most ${longestName} characters`,
  (value) => (typeof value === 'string' && value !== '' && value.length <= longestName ? value : undefined),
  { type: 'string', minLength: 1, maxLength: longestName },
).optional();

const secret = kind(passWordAllowed, (value) => (isPassWord(value) ? value : undefined), {
  type: 'string',
  pattern: passWordPattern,
});

/** A time with its zone: the caller may be in another time zone than the primary. */
const instant = kind(
  'a time with its zone, such as 2026-11-28T02:00:00Z or 2026-11-28T02:00+01:00',
  (value) => {
    const isInstant =
      typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.test(value);
    const time = isInstant ? Date.parse(value) : Number.NaN;
    return Number.isNaN(time) ? undefined : time;
  },
  { type: 'string', format: 'date-time' },
);

/** The bodies of the requests that change something; docs/openapi.json is generated from them. */
export const bodies = {
  maintenance: z.strictObject({
    on: flag,
    here: flag.optional().describe('This host alone, where there are several.'),
    reason: reason.optional(),
    for: deadline.optional(),
    at: instant.optional(),
    wait: flag.optional(),
    timeout: deadline.optional(),
    keep: flag.optional(),
    secret: secret.optional(),
    by,
  }),
  reload: z.strictObject({
    dryRun: flag.optional(),
    all: flag.optional().describe('Every host of the cluster, one after another; it stops at the first that fails.'),
    by,
  }),
  scale: z.strictObject({ instances: instances(mostWorkers), by }),
  run: z.strictObject({ by }),
  removeHost: z.strictObject({ by }),
  stop: z.strictObject({ now: flag.optional(), by }),
  /** On the control socket only. */
  exec: z.strictObject({
    reason: reason.optional(),
    timeout: deadline.optional(),
    keepOnFailure: flag.optional(),
    by,
  }),
  /** On the control socket only. */
  handOver: z.strictObject({
    node: z.string(),
    main: z.string(),
    called: z.string().nullable(),
    wait: flag.optional(),
    by,
  }),
  execEnd: z.strictObject({
    code: z.int().optional(),
    signal: z.string().max(20).optional(),
    error: z.string().max(1_000).optional(),
  }),
};

/** A number, or a relative step: `"+1"`, `"-2"`. */
function instances(most: number) {
  const whole = integer(1, most);
  return kind(
    `a whole number from 1 to ${most}, or a step such as "+1" or "-2"`,
    (value): { instances: number } | { step: number } | undefined => {
      if (typeof value === 'string' && /^[+-]\d{1,4}$/.test(value)) return { step: Number(value) };
      const parsed = whole.safeParse(value);
      return parsed.success ? { instances: parsed.data } : undefined;
    },
    {
      type: ['integer', 'string'],
      minimum: 1,
      maximum: most,
      pattern: String.raw`^[+-]?\d{1,4}$`,
      examples: [4, '+1'],
    },
  );
}

export const runsQuery = z.object({ limit: integer(1, 1000).prefault(20).describe('At most so many.') });

export function bodyOf<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const found = result.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `${issue.keys.join(', ')} is not known`
      : `${issue.path.map(String).join('.') || 'the body'} takes ${issue.code === 'invalid_type' ? `an ${issue.expected}` : issue.message}`,
  );
  throw new QuiesceError('bad-request', `The body is wrong: ${found.join('; ')}.`);
}

export function orderOf({ by: name }: { by?: string | undefined }): Order {
  return name === undefined ? {} : { by: name };
}

export function maintenanceChange(given: unknown, signal: AbortSignal): MaintenanceChange {
  const body = bodyOf(bodies.maintenance, given);
  const { on, here, reason: why, for: forMs, at, wait = false, timeout, keep, secret: word } = body;
  const only = (name: string, where: string): never => {
    throw new QuiesceError('bad-request', `\`${name}\` goes with \`"${where}": true\` only.`);
  };
  if (!on && forMs !== undefined) only('for', 'on');
  if (!on && word !== undefined) only('secret', 'on');
  if (!on && wait) only('wait', 'on');
  if (!on && at !== undefined) only('at', 'on');
  if (wait && at !== undefined)
    throw new QuiesceError('bad-request', '`at` does not go with `wait`: it is answered once the hold is scheduled.');
  if (at !== undefined && at <= Date.now())
    throw new QuiesceError('bad-request', `\`at\` is in the past: it is ${new Date().toISOString()}.`);
  if (!wait && timeout !== undefined) only('timeout', 'wait');
  if (!wait && keep !== undefined) only('keep', 'wait');
  return {
    on,
    ...(here === undefined ? {} : { here }),
    ...(why === undefined ? {} : { reason: why }),
    ...(forMs === undefined ? {} : { forMs }),
    ...(word === undefined ? {} : { secret: word }),
    ...(at === undefined ? {} : { at }),
    ...(wait ? { wait: { keep: keep ?? false, signal, ...(timeout === undefined ? {} : { timeout }) } } : {}),
    ...orderOf(body),
  };
}
