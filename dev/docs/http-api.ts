/** docs/http-api.md: the same as docs/openapi.json, to be read. */
import { examples } from './openapi/examples/index.ts';
import type { Example } from './openapi/examples/example.ts';
import { tags } from './openapi/document.ts';
import type { Answer, Operation, Parameter } from './openapi/operation.ts';
import { componentSchemas, type JsonSchema } from './openapi/schemas.ts';
import { table } from './table.ts';

/** Longer bodies are in docs/openapi.json only, lines. */
const longest = 36;

export function httpApi(): string {
  const parts = [
    '# HTTP',
    'Made from the schemas that validate, by `npm run docs`. [openapi.json](openapi.json) says the same to machines (OpenAPI 3.1), with more examples; tests send each of them to a real cluster.',
    'A refusal is a problem document (RFC 9457): `application/problem+json` with `type`, `title`, `status`, `detail`, `code`, `instance` and what else helps. Match `code`. What each means, and what to do: [operations.md](operations.md#errors). A path that takes another method answers 405 `method-not-allowed` with `Allow`.',
    '## The app',
    'The built-in app. In one of your own, `mirror()` answers as `/api/sync` does, and every gated request may get the 503 `paused` of `/api/resources`: as a page where `Accept` prefers `text/html`, as a problem document otherwise.',
    ...operationsOf('app'),
    '## The admin server',
    'On `quiesce.admin` (127.0.0.1:9615) and on `control.sock` in the data directory. Over TCP a change needs `Authorization: Bearer` with the token in `admin.token` there, and a `Host` or `Origin` that is not its own is refused: [security.md](security.md#the-admin-server).',
    ...operationsOf('admin'),
    '## Shapes',
    ...Object.entries(componentSchemas()).flatMap(([name, schema]) => shape(name, schema)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function operationsOf(tag: keyof typeof tags): string[] {
  return Object.entries(tags[tag].paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).flatMap(([method, operation]) =>
      operationParts(method.toUpperCase(), path, operation),
    ),
  );
}

function operationParts(method: string, path: string, operation: Operation): string[] {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const input = [
    ...parameters.map((parameter) => parameterRow(parameter)),
    ...Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => bodyRow(type, schema)),
  ];
  return [
    `### \`${method} ${path}\``,
    `${summary}${/[?]$/.test(summary) ? '' : '.'}${description === undefined ? '' : ` ${description}`}`,
    ...(input.length === 0 ? [] : [table(['takes', '', ''], input)]),
    table(['answers', '', 'headers'], Object.entries(responses).map(answerRow)),
    ...examplesOf(method, path, operation),
  ];
}

function parameterRow({ name, in: where, schema, description }: Parameter): string[] {
  return [`\`${name}\``, where, `${description}${constraint(schema)}`];
}

function bodyRow(type: string, schema: JsonSchema): string[] {
  const { properties = {}, required = [], description = '' } = schema;
  const text = Object.entries(properties).map(([name, member]) => {
    const optional = required.includes(name) ? '' : ', optional';
    return `\`${name}\` (${typeOf(member)}${optional})${constraint(member)}`;
  });
  const what = schema.type === 'array' ? 'An array of objects.' : description;
  return [`\`${type}\``, 'body', text.length > 0 ? text.join('; ') : what];
}

function constraint({ enum: values, minimum, maximum, default: preset, examples: samples }: JsonSchema): string {
  const parts = [
    values === undefined ? '' : values.map((value) => `\`${value}\``).join(', '),
    minimum === undefined ? '' : `${minimum} to ${maximum}`,
    samples === undefined ? '' : `such as ${samples.map((sample) => `\`${JSON.stringify(sample)}\``).join(' or ')}`,
    preset === undefined ? '' : `default ${JSON.stringify(preset)}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` ${parts.join('; ')}.`;
}

function answerRow([status, { description, content = {}, headers = {} }]: [string, Answer]): string[] {
  const problem = content['application/problem+json'];
  const shapes = Object.entries(content)
    .filter(([type]) => type !== 'application/problem+json')
    .map(([type, { schema }]) => (type === 'application/json' ? typeOf(schema) : `\`${type}\``));
  const text = problem === undefined ? description : codesOf(problem.schema).map(codeLink).join(', ');
  return [
    status,
    shapes.length === 0 ? text : `${text} ${shapes.join(', or ')}`,
    Object.keys(headers)
      .map((name) => `\`${name}\``)
      .join(', '),
  ];
}

function codesOf({ allOf = [] }: JsonSchema): readonly string[] {
  return allOf.flatMap(({ properties }) => properties?.['code']?.enum ?? []);
}

function codeLink(code: string): string {
  return `[\`${code}\`](operations.md#${code})`;
}

/** The first that went well, and those that should be shown. */
function examplesOf(method: string, path: string, { operationId }: Operation): string[] {
  const short = examples.filter(
    ({ operation, answer }) => operation === operationId && pretty(answer.body).split('\n').length <= longest,
  );
  const first = short.find(({ answer }) => answer.status < 400);
  const found = [...(first === undefined ? [] : [first]), ...short.filter(({ shown }) => shown)];
  return found
    .filter(({ answer }) => answer.body !== undefined || answer.type === undefined)
    .map((example) => `\`\`\`http\n${messages(method, path, example)}\n\`\`\``);
}

/** As they go over the wire, the headers of no interest left out. */
function messages(method: string, path: string, { parameters = {}, headers = {}, body, answer }: Example): string {
  const rest = { ...parameters };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name] ?? '';
    delete rest[name];
    return encodeURIComponent(value);
  });
  const isHeader = (name: string): boolean => /^[A-Z]/.test(name);
  const query = new URLSearchParams(Object.entries(rest).filter(([name]) => !isHeader(name))).toString();
  const sent = [...Object.entries(headers), ...Object.entries(rest).filter(([name]) => isHeader(name))];
  const got = [
    ...(answer.type === undefined ? [] : [['Content-Type', answer.type]]),
    ...Object.entries(answer.headers ?? {}),
  ];
  const lines = (entries: readonly (readonly (string | undefined)[])[]): string[] =>
    entries.map(([name, value]) => `${name}: ${value}`);
  return [
    `${method} ${filled}${query === '' ? '' : `?${query}`} HTTP/1.1`,
    ...lines(sent),
    ...(body === undefined ? [] : ['', pretty(body)]),
    '',
    `HTTP/1.1 ${answer.status}`,
    ...lines(got),
    ...(answer.body === undefined ? [] : ['', pretty(answer.body)]),
  ].join('\n');
}

function pretty(body: unknown): string {
  if (typeof body === 'string') return body.trimEnd();
  const compact = JSON.stringify(body) ?? '';
  return compact.length <= 100 ? compact : JSON.stringify(body, null, 2);
}

function shape(name: string, schema: JsonSchema): string[] {
  const { properties = {}, required = [], description } = schema;
  const members = Object.entries(properties);
  const values = schema.enum?.map((value) => `\`${value}\``).join(', ');
  return [
    `### ${name}`,
    ...(description === undefined ? [] : [description]),
    ...(values === undefined ? [] : [`${values}.`]),
    ...(members.length === 0
      ? []
      : [
          table(
            ['member', 'is', ''],
            members.map(([member, of]) => [
              `\`${member}\``,
              `${typeOf(of)}${required.includes(member) ? '' : ', optional'}`,
              of.description ?? '',
            ]),
          ),
        ]),
  ];
}

/** In words, with a link to a shape that has a name. */
function typeOf(schema: JsonSchema): string {
  const { $ref, anyOf, enum: values, type, items = {}, format, properties } = schema;
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1)!;
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (type === 'array') return `list of ${typeOf(items)}`;
  if (properties !== undefined) {
    const members = Object.entries(properties).map(([name, member]) => `\`${name}\`: ${typeOf(member)}`);
    return `{ ${members.join(', ')} }`;
  }
  if (format === 'date-time') return 'time (ISO 8601)';
  return typeof type === 'object' ? type.join(' or ') : (type ?? 'anything');
}
