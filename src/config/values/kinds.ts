/**
 * The kinds of values of a setting, each with a text that describes the allowed values. Used for the configuration file
 * and for request bodies of the admin server.
 *
 * Every kind reads a number in a string (`'3000'`) as the number, as PM2 does.
 */
import { parseArgsStringToArgv } from 'string-argv';
import * as z from '../../vendor/zod.ts';
import { aboveZero, deadlineWords, durationWords, longestTimer, parseDuration, parseSize } from './units.ts';

/** The text about the allowed values of each kind, for the documentation. */
export const allowedWords = z.registry<{ allowed: string }>();

/** The JSON Schema of a kind, for the OpenAPI description. */
type JsonSchema = Readonly<Record<string, unknown>>;

/** Has a name, so that the types of its users name no type of zod. */
export interface Kind<T> extends z.ZodPipe<z.ZodUnknown, z.ZodTransform<T, unknown>> {}

/**
 * Makes a kind. `parse` turns a value into a `T`, or into `undefined` if it is not allowed; `allowed` describes the
 * allowed values, and `schema` describes them for values that are sent over HTTP.
 */
export function kind<T>(allowed: string, parse: (value: unknown) => T | undefined, schema: JsonSchema = {}): Kind<T> {
  return z
    .unknown()
    .transform((value, context): T => {
      const parsed = parse(value);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: allowed });
      return z.NEVER;
    })
    .meta(schema)
    .register(allowedWords, { allowed });
}

function parseInteger(value: unknown): number | undefined {
  const parsed = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(parsed) ? (parsed as number) : undefined;
}

export const duration = kind(durationWords, parseDuration);

/** A duration above zero: an interval or a deadline. */
export const deadline = kind(deadlineWords, aboveZero, {
  type: ['number', 'string'],
  exclusiveMinimum: 0,
  maximum: longestTimer,
  examples: [600_000, '10m'],
});

export const size = kind("bytes, or a size such as '512K', '512M', '1G'", parseSize);

export function integer(least: number, most = Number.MAX_SAFE_INTEGER) {
  const allowed =
    most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least} on` : `a whole number from ${least} to ${most}`;
  return kind(
    allowed,
    (value) => {
      const parsed = parseInteger(value);
      return parsed !== undefined && parsed >= least && parsed <= most ? parsed : undefined;
    },
    { type: 'integer', minimum: least, maximum: most },
  );
}

export const text = kind('text', (value) => (typeof value === 'string' && value !== '' ? value : undefined));

export const flag = kind('true or false', (value) => (typeof value === 'boolean' ? value : undefined), {
  type: 'boolean',
});

export function oneOf<const T extends readonly (string | boolean)[]>(...choices: T) {
  const allowed = choices.map((choice) => (typeof choice === 'string' ? `'${choice}'` : String(choice))).join(', ');
  return kind<T[number]>(allowed, (value) => choices.find((choice) => choice === value));
}

/** Arguments as a list, or as one string that is split as in a shell, including quotes. */
export const argumentList = kind(
  'a list of arguments, or one string with them',
  (value): readonly string[] | undefined => {
    if (typeof value === 'string') return parseArgsStringToArgv(value);
    if (!Array.isArray(value)) return undefined;
    return value.every((item) => typeof item === 'string' || typeof item === 'number') ? value.map(String) : undefined;
  },
);

/** `'max'`, 0, n or -n; resolved against the cores by `workersFor`. */
export const instances = kind("'max', 0 (every core), a number of workers, or -n (every core but n)", (value) =>
  value === 'max' ? 0 : parseInteger(value),
);
