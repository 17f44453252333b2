/** HTTP of the built-in app. */
import { feedParameters } from './feed-parameters.ts';
import {
  headers,
  json,
  refusals,
  stream,
  text,
  withPage,
  type Header,
  type Parameter,
  type Paths,
} from './operation.ts';
import { ref, type JsonSchema } from './schemas.ts';

const { retryAfter } = headers;

const runHeader = text('The id of the run.');
const location = text('Where the run tells of itself.');
const preferenceApplied: Header = {
  description: 'The preference that was heeded (RFC 7240).',
  schema: { type: 'string', enum: ['return=representation', 'return=minimal', 'respond-async'] },
};
const countsHeader = text('Such as `inserted=1, updated=0, deleted=0, unchanged=9`.');

const runId: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The id of a run.',
  schema: { type: 'string' },
};
/** Any JSON that a feed can hold. */
const document: JsonSchema = { type: 'object', additionalProperties: true };
const etag: Header = { description: 'Weak; for `If-None-Match`.', required: true, schema: { type: 'string' } };
const ifNoneMatch: Parameter = {
  name: 'If-None-Match',
  in: 'header',
  description: 'An `ETag` of before: 304 where nothing has changed.',
  schema: { type: 'string' },
};

const unavailable = refusals(['paused', 'database-unavailable', 'no-primary', 'stopping', 'internal'], {
  503: { 'Retry-After': retryAfter },
});

export const appPaths: Paths = {
  '/api/sync': {
    put: {
      operationId: 'putFeed',
      summary: 'Make the collection equal to a feed',
      description:
        'The feed is uploaded, read and checked while the cluster serves. Then every worker comes to rest, the differences are written, and the cluster serves again. A client that goes away after its upload does not end the run.',
      security: [{ syncToken: [] }, {}],
      parameters: feedParameters,
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'array',
              items: document,
              description: 'An array of objects. `text/json` and each type that ends in `+json` are taken for it.',
            },
          },
          'application/x-ndjson': {
            schema: {
              type: 'string',
              description:
                'One object in each line. `application/ndjson`, `application/jsonl` and `application/jsonlines` are the same.',
            },
          },
        },
      },
      responses: {
        200: {
          description: 'The report, where `return=representation` was preferred; or what a dry run found.',
          headers: {
            'Quiesce-Run': { ...runHeader, required: false },
            'Quiesce-Counts': { ...countsHeader, required: false },
            'Preference-Applied': preferenceApplied,
          },
          content: json({ anyOf: [ref('Report'), ref('DryRunReport')] }),
        },
        202: {
          description:
            'The run goes on without its client: `respond-async` was preferred, this worker had to go, or the run stopped half-way and is rolled forward.',
          headers: { 'Quiesce-Run': runHeader, Location: location, 'Preference-Applied': preferenceApplied },
        },
        204: {
          description: 'The collection equals the feed.',
          headers: {
            'Quiesce-Run': runHeader,
            'Quiesce-Counts': countsHeader,
            'Preference-Applied': preferenceApplied,
          },
        },
        ...refusals(
          [
            'bad-request',
            'malformed-json',
            'digest-mismatch',
            'unauthorized',
            'forbidden',
            'upload-timeout',
            'run-in-progress',
            'too-many-deletes',
            'payload-too-large',
            'unsupported-media-type',
            'invalid-feed',
            'run-failed',
            'owner-died',
            'run-timeout',
            'run-cancelled',
            'fenced',
            'bad-config',
            'internal',
            'paused',
            'drain-timeout',
            'database-unavailable',
            'no-primary',
            'stopping',
            'insufficient-storage',
          ],
          {
            401: { 'WWW-Authenticate': text('`Bearer realm="quiesce"`.') },
            409: {
              Location: { ...location, required: false, description: 'The run that is going on.' },
              'Retry-After': { ...retryAfter, required: false },
            },
            415: { Accept: text('The media types of a feed.'), 'Accept-Encoding': text('The codings of a feed.') },
            503: { 'Retry-After': retryAfter },
          },
        ),
      },
    },
    get: {
      operationId: 'listRuns',
      summary: 'The last runs, the newest first',
      description: 'Never gated.',
      responses: {
        200: {
          description: 'At most 100.',
          content: json({
            type: 'object',
            properties: { items: { type: 'array', items: ref('Run') } },
            required: ['items'],
          }),
        },
        ...refusals(['no-primary', 'internal'], { 503: { 'Retry-After': retryAfter } }),
      },
    },
  },
  '/api/sync/{id}': {
    get: {
      operationId: 'getRun',
      summary: 'One run: state, progress, report',
      description:
        'Never gated. As `text/event-stream` it is sent at each change, in events called `run`, until it has ended. A worker has 100 such streams at most, and refuses the next; ask for JSON then.',
      parameters: [runId],
      responses: {
        200: {
          description: 'The run.',
          content: { ...json(ref('Run')), ...stream({ run: ref('Run') }) },
        },
        ...refusals(['not-found', 'no-primary', 'too-many-streams', 'internal'], {
          503: { 'Retry-After': retryAfter },
        }),
      },
    },
  },
  '/api/resources': {
    get: {
      operationId: 'listResources',
      summary: 'The mirrored documents, in the order of their keys',
      parameters: [
        {
          name: 'limit',
          in: 'query',
          description: 'At most so many.',
          schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
        },
        {
          name: 'after',
          in: 'query',
          description: 'Only keys after this one: the `next` of a former page.',
          schema: { type: 'string' },
        },
        ifNoneMatch,
      ],
      responses: {
        200: {
          description: 'A page of documents, each with its key under its own name. `next` is null on the last page.',
          headers: { ETag: etag },
          content: json({
            type: 'object',
            properties: {
              items: { type: 'array', items: document },
              next: { type: ['string', 'null'], description: 'What `after` takes for the next page.' },
            },
            required: ['items', 'next'],
            additionalProperties: false,
          }),
        },
        304: { description: 'It is the same as before.' },
        ...refusals(['bad-request']),
        ...withPage(unavailable, '503'),
      },
    },
  },
  '/api/resources/{key}': {
    get: {
      operationId: 'getResource',
      summary: 'One mirrored document',
      parameters: [
        {
          name: 'key',
          in: 'path',
          required: true,
          description: 'Its key. A text that reads as something else, such as `"7"`, is written as JSON has it.',
          schema: { type: 'string' },
        },
        ifNoneMatch,
      ],
      responses: {
        200: { description: 'The document.', headers: { ETag: etag }, content: json(document) },
        304: { description: 'It is the same as before.' },
        ...refusals(['bad-request', 'not-found']),
        ...withPage(unavailable, '503'),
      },
    },
  },
  '/livez': {
    get: {
      operationId: 'livez',
      summary: 'Is the process sound?',
      description: 'Never gated.',
      responses: {
        200: { description: 'It is.', content: { 'text/plain': { schema: { type: 'string' } } } },
        ...refusals(['internal']),
      },
    },
  },
  '/readyz': {
    get: {
      operationId: 'readyz',
      summary: 'Should a load balancer send requests here?',
      description:
        'Never gated. A short pause leaves it at 200, so that not every instance is taken out at once; one that outlasts `maintenance.ready_grace` does not.',
      responses: {
        200: { description: 'Yes.', content: { 'text/plain': { schema: { type: 'string' } } } },
        ...refusals(['paused', 'no-primary', 'stopping', 'internal'], { 503: { 'Retry-After': retryAfter } }),
      },
    },
  },
};
