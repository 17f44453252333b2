/** The parts that operations are made of. */
import { registry, type ErrorCode } from '#quiesce/errors.js';
import { ref, type JsonSchema } from './schemas.ts';

export interface Header {
  readonly description: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

export interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  /** By media type. */
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description: string;
  readonly schema: JsonSchema;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>;
  };
  readonly responses: Readonly<Record<string, Answer>>;
}

export type Paths = Readonly<Record<string, Readonly<Partial<Record<'get' | 'put' | 'post', Operation>>>>>;

export function text(description: string): Header {
  return { description, required: true, schema: { type: 'string' } };
}

export function json(schema: JsonSchema): { 'application/json': { schema: JsonSchema } } {
  return { 'application/json': { schema } };
}

/** Server-sent events, and what the data of each hold, by its name. */
export function stream(events: Readonly<Record<string, JsonSchema>>): { 'text/event-stream': { schema: JsonSchema } } {
  const items = Object.entries(events).map(([event, data]) => ({
    type: 'object',
    properties: { event: { const: event }, data },
  }));
  return {
    'text/event-stream': {
      schema: {
        type: 'string',
        contentMediaType: 'text/event-stream',
        contentSchema: { type: 'array', items: items.length === 1 ? items[0] : { anyOf: items } },
      },
    },
  };
}

const retryAfter: Header = {
  description: 'Whole seconds until another try is worth it.',
  required: true,
  schema: { type: 'integer', minimum: 1 },
};

/** `headers` by status, on top of those that each status has. */
export function refusals(
  codes: readonly ErrorCode[],
  headers: Readonly<Record<number, Readonly<Record<string, Header>>>> = {},
): Record<string, Answer> {
  const statuses = [...new Set(codes.map(statusOf))].toSorted((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      refusal(
        codes.filter((code) => statusOf(code) === status),
        headers[status] ?? {},
      ),
    ]),
  );
}

/** Errors that only end a command have no status of their own. */
export function statusOf(code: ErrorCode): number {
  const entry: { title: string; status?: number } = registry[code];
  return entry.status ?? 500;
}

function refusal(codes: readonly ErrorCode[], headers: Readonly<Record<string, Header>>): Answer {
  return {
    description: codes.map((code) => `\`${code}\`: ${registry[code].title}.`).join(' '),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    content: {
      'application/problem+json': {
        schema: { allOf: [ref('Problem'), { properties: { code: { enum: codes } } }] },
      },
    },
  };
}

/** What a browser gets in place of the problem document. */
export function withPage(answers: Record<string, Answer>, status: string): Record<string, Answer> {
  const answer = answers[status]!;
  return {
    ...answers,
    [status]: { ...answer, content: { ...answer.content, 'text/html': { schema: { type: 'string' } } } },
  };
}

export const headers = { retryAfter };
