/** HTTP of the admin server. */
import { bodies, runsQuery } from '#quiesce/primary/admin/bodies.js';
import type { ErrorCode } from '#quiesce/errors.js';
import { json, refusals, stream, text, type Answer, type Operation, type Parameter, type Paths } from './operation.ts';
import { inputSchema, ref } from './schemas.ts';

const runId: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The id of a run.',
  schema: { type: 'string' },
};

const hostName: Parameter = {
  name: 'name',
  in: 'path',
  required: true,
  description: 'The name of a host, as in the status.',
  schema: { type: 'string' },
};

/** What every request over TCP may get. */
function reading(more: readonly ErrorCode[] = []): Record<string, Answer> {
  return refusals([...more, 'forbidden', 'internal']);
}

interface Change {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly body: keyof typeof bodies;
  readonly answer: Record<string, Answer>;
  readonly codes?: readonly ErrorCode[];
}

/** An operation that needs the token. */
function change({ body, answer, codes = [], ...rest }: Change): Operation {
  const common = [
    'bad-request',
    'unauthorized',
    'forbidden',
    'payload-too-large',
    'unsupported-media-type',
    'internal',
  ] as const;
  return {
    ...rest,
    security: [{ adminToken: [] }],
    requestBody: { required: !['run', 'reload', 'stop'].includes(body), content: json(inputSchema(bodies[body])) },
    responses: {
      ...answer,
      ...refusals([...common, ...codes], { 401: { 'WWW-Authenticate': text('`Bearer`.') } }),
    },
  };
}

const status: Record<string, Answer> = { 200: { description: 'The status after it.', content: json(ref('Status')) } };

const { limit = {} } = inputSchema(runsQuery).properties ?? {};

export const adminPaths: Paths = {
  '/': {
    get: {
      operationId: 'getDashboard',
      summary: 'The dashboard',
      responses: {
        200: { description: 'The page.', content: { 'text/html': { schema: { type: 'string' } } } },
        ...reading(),
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'getMetrics',
      summary: 'The whole cluster, for Prometheus',
      responses: {
        200: {
          description: 'Every metric, with its help.',
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
        ...reading(),
      },
    },
  },
  '/api/status': {
    get: {
      operationId: 'getStatus',
      summary: 'What the cluster is doing',
      responses: { 200: { description: 'The status.', content: json(ref('Status')) }, ...reading() },
    },
  },
  '/api/events': {
    get: {
      operationId: 'followCluster',
      summary: 'What happens, as it happens',
      description:
        'Server-sent events. `status` comes at once and at each change, at most ten times a second. With `detail`, `history` comes first, then also each `sample` (one a second), `pause` and `run`, and for a reader with the token batches of lines of the `log`. There are 64 streams at most for readers with the token and 64 for all others; the next is refused.',
      parameters: [
        {
          name: 'detail',
          in: 'query',
          description: 'Whether more than the status is sent.',
          schema: { type: 'string', enum: ['true', 'false'], default: 'false' },
        },
        {
          name: 'Last-Event-ID',
          in: 'header',
          description: 'With `detail`: what was missed since then comes in place of the history, as far as it is kept.',
          schema: { type: 'string' },
        },
      ],
      responses: {
        200: {
          description: 'A stream that does not end.',
          content: stream({
            status: ref('Status'),
            history: ref('History'),
            sample: ref('Sample'),
            pause: ref('Pause'),
            run: ref('Run'),
            log: { type: 'array', items: ref('LogLine') },
          }),
        },
        ...refusals(['bad-request', 'forbidden', 'too-many-streams', 'internal'], {
          503: { 'Retry-After': text('When to try again, in seconds.') },
        }),
      },
    },
  },
  '/api/urls': {
    get: {
      operationId: 'getUrls',
      summary: 'Where the app listens',
      responses: {
        200: {
          description: 'Its addresses; none as long as it is starting.',
          content: json({
            type: 'object',
            properties: { urls: { type: 'array', items: { type: 'string', format: 'uri' } } },
            required: ['urls'],
            additionalProperties: false,
          }),
        },
        ...reading(),
      },
    },
  },
  '/api/runs': {
    get: {
      operationId: 'getHistory',
      summary: 'The last runs, the newest first',
      parameters: [{ name: 'limit', in: 'query', description: 'At most so many.', schema: limit }],
      responses: {
        200: {
          description: 'The runs.',
          content: json({
            type: 'object',
            properties: { items: { type: 'array', items: ref('Run') } },
            required: ['items'],
            additionalProperties: false,
          }),
        },
        ...reading(['bad-request']),
      },
    },
  },
  '/api/runs/{id}': {
    get: {
      operationId: 'getRunOfHistory',
      summary: 'One run: state, progress, report',
      parameters: [runId],
      responses: {
        200: { description: 'The run.', content: json(ref('Run')) },
        ...reading(['not-found', 'bad-request']),
      },
    },
  },
  '/api/runs/{id}/cancel': {
    post: change({
      operationId: 'cancelRun',
      summary: 'End a run that is going on',
      description:
        'Answers when it has ended. What a feed has written is put back; where that cannot be, it is rolled forward. The worker of an exclusive handler is replaced. A run that is being rolled forward can only be abandoned.',
      parameters: [runId],
      body: 'run',
      answer: { 200: { description: 'The run, as it ended.', content: json(ref('Run')) } },
      codes: ['not-found'],
    }),
  },
  '/api/runs/{id}/abandon': {
    post: change({
      operationId: 'abandonRun',
      summary: 'Give up a run that cannot be rolled forward',
      description:
        'The gates open on a collection that may hold a part of the feed. Only where serving that is better than serving nothing; the next feed makes it whole.',
      parameters: [runId],
      body: 'run',
      answer: { 200: { description: 'The run, abandoned.', content: json(ref('Run')) } },
      codes: ['not-found'],
    }),
  },
  '/api/hosts/{name}/remove': {
    post: change({
      operationId: 'removeHost',
      summary: 'Take a dead host out of the cluster',
      description:
        'The others no longer wait for its word. Only where its processes are dead: one that is alive finds itself out, shuts, and joins anew.',
      parameters: [hostName],
      body: 'removeHost',
      answer: status,
      codes: ['not-found', 'database-unavailable'],
    }),
  },
  '/api/maintenance': {
    post: change({
      operationId: 'setMaintenance',
      summary: 'The operator hold, on or off',
      description:
        'On: the gates shut, for a time (`for`) or until it is turned off, over restarts of the primary too. A sync still runs. With `at` they shut then, and `for` counts from then; it answers once that is stored, and off ends it as well. With several hosts it holds and opens all of them, or with `here` the one that is asked. With `wait` it answers when the cluster is at rest: no request of the app is at work, and no run. At the `timeout` (default `maintenance.drain_timeout`) it answers `drain-timeout` with the requests in `waitingFor` and takes the hold back, as it does where the client goes before; with `keep`, or where somebody else holds as well, it stays (`"held": true`).',
      body: 'maintenance',
      answer: status,
      codes: ['drain-timeout', 'hold-ended', 'stopping', 'database-unavailable'],
    }),
  },
  '/api/reload': {
    post: change({
      operationId: 'reload',
      summary: 'Read the configuration again, and replace every worker without a failed request',
      description:
        'The file that `start` read is read again, with the flags and the environment of `start`. Answers when all of it is in force. Where the file is wrong, or a new worker does not boot, it answers with an error, and the old settings stay in force for all. Of two at once the second one begins when the first one has ended. With `dryRun` it answers with what the file would change, and changes nothing. With `all` each host of the cluster reads its own file, one after another, up to the first that fails.',
      body: 'reload',
      answer: {
        200: { description: 'The status after it, and what has changed.', content: json(ref('ReloadAnswer')) },
      },
      codes: ['boot-failed', 'port-in-use', 'bad-config', 'bad-usage', 'stopping'],
    }),
  },
  '/api/scale': {
    post: change({
      operationId: 'scale',
      summary: 'More or fewer workers',
      description: 'Answers when it is done.',
      body: 'scale',
      answer: status,
      codes: ['boot-failed', 'port-in-use', 'stopping'],
    }),
  },
  '/api/stop': {
    post: change({
      operationId: 'stop',
      summary: 'Stop the cluster',
      description: 'What is in flight is finished first, unless `now` is true.',
      body: 'stop',
      answer: {
        202: {
          description: 'It has begun.',
          content: json({
            type: 'object',
            properties: { pid: { type: 'integer', description: 'Of the primary.' } },
            required: ['pid'],
            additionalProperties: false,
          }),
        },
      },
    }),
  },
};
