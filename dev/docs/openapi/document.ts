/** docs/openapi.json: what the app and the admin server answer, in OpenAPI 3.1. */
import { readFileSync } from 'node:fs';
import { adminPaths } from './admin.ts';
import { appPaths } from './app.ts';
import { examples } from './examples/index.ts';
import type { Example } from './examples/example.ts';
import type { Operation, Paths } from './operation.ts';
import { componentSchemas, type JsonSchema } from './schemas.ts';

const { version, license } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
  license: string;
};

export const tags = {
  app: { paths: appPaths, servers: [{ url: 'http://127.0.0.1:3000', description: 'The app: `PORT` and `HOST`.' }] },
  admin: {
    paths: adminPaths,
    servers: [
      {
        url: 'http://127.0.0.1:9615',
        description: 'The admin server: `quiesce.admin`. The control socket in the data directory serves the same.',
      },
    ],
  },
} as const;

export function openApi(): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'quiesce',
      version,
      summary: 'The built-in app, and the admin server of a cluster.',
      license: { name: license, identifier: license },
    },
    tags: [
      {
        name: 'app',
        description: 'The built-in app; `mirror()` and `gate()` give an app of your own the same answers.',
      },
      { name: 'admin', description: 'What an operator sees and does. Over TCP a change needs the admin token.' },
    ],
    servers: tags.app.servers,
    security: [],
    paths: { ...pathItems('app'), ...pathItems('admin') },
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        syncToken: {
          type: 'http',
          scheme: 'bearer',
          description: '`QUIESCE_SYNC_TOKEN`. Where none is set, only clients on the loopback interface may sync.',
        },
        adminToken: {
          type: 'http',
          scheme: 'bearer',
          description: '`admin.token` in the data directory. The control socket asks for none.',
        },
      },
    },
  };
}

function pathItems(tag: keyof typeof tags): Record<string, object> {
  const { paths, servers }: { paths: Paths; servers: readonly object[] } = tags[tag];
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [
      path,
      {
        servers,
        ...Object.fromEntries(
          Object.entries(item).map(([method, operation]) => [method, { tags: [tag], ...withExamples(operation) }]),
        ),
      },
    ]),
  );
}

type Examples = Record<string, { summary: string; value: unknown }>;

/** By name, or nothing where there are none. */
function collect(of: readonly Example[], value: (example: Example) => unknown): { examples?: Examples } {
  const found = of.filter((example) => value(example) !== undefined);
  if (found.length === 0) return {};
  const entries = found.map((example) => [example.name, { summary: example.summary, value: value(example) }]);
  return { examples: Object.fromEntries(entries) as Examples };
}

function withExamples(operation: Operation): object {
  const own = examples.filter((example) => example.operation === operation.operationId);
  const { parameters, requestBody, responses } = operation;
  return {
    ...operation,
    ...(parameters && {
      parameters: parameters.map((parameter) => ({
        ...parameter,
        ...collect(own, ({ parameters: given }) => parsed(given?.[parameter.name], parameter.schema)),
      })),
    }),
    ...(requestBody && {
      requestBody: {
        ...requestBody,
        content: mapValues(requestBody.content, (media, type) => ({
          ...media,
          ...collect(
            own.filter(({ headers }) => headers?.['Content-Type'] === type),
            ({ body }) => body,
          ),
        })),
      },
    }),
    responses: mapValues(responses, (answer, status) => {
      const ofStatus = own.filter((example) => String(example.answer.status) === status);
      return {
        ...answer,
        ...(answer.headers && {
          headers: mapValues(answer.headers, (header, name) => ({
            ...header,
            ...collect(ofStatus, ({ answer: given }) => parsed(given.headers?.[name], header.schema)),
          })),
        }),
        ...(answer.content && {
          content: mapValues(answer.content, (media, type) => ({
            ...media,
            ...collect(
              ofStatus.filter((example) => example.answer.type === type),
              (example) => example.answer.body,
            ),
          })),
        }),
      };
    }),
  };
}

/** On the wire all are text. */
function parsed(value: string | undefined, schema: JsonSchema): unknown {
  return value !== undefined && schema.type === 'integer' ? Number(value) : value;
}

function mapValues<T, R>(values: Readonly<Record<string, T>>, map: (value: T, key: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value, key)]));
}
