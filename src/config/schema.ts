/**
 * Every setting of one app: its kind, its default as a user would write it, and what it is for. The single source
 * for validation and for docs/configuration.md. Names, meanings and defaults of the first part are PM2's (7.0).
 */
import { Cron } from 'croner';
import { z } from 'zod';
import { maxDeletesWords, parseMaxDeletes } from '../protocol/max-deletes.ts';
import { argumentList, deadline, duration, flag, instances, integer, kind, oneOf, size, text } from './kinds.ts';

const environment = kind('an object of variables', (value): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined,
);

const cronPattern = kind("a cron pattern such as '0 3 * * *', or 0 for none", (value): string | undefined => {
  if (value === 0 || value === '0') return '';
  if (typeof value !== 'string') return undefined;
  try {
    // Without a function it only parses.
    new Cron(value, { paused: true }).stop();
    return value;
  } catch {
    return undefined;
  }
});

const mongodbUri = kind("a connection string that begins with 'mongodb://' or 'mongodb+srv://'", (value) =>
  typeof value === 'string' && /^mongodb(\+srv)?:\/\/\S+$/.test(value) ? value : undefined,
);

const deletions = kind(maxDeletesWords, (value) =>
  typeof value === 'number' || typeof value === 'string' ? parseMaxDeletes(String(value)) : undefined,
);

const namespaceName = kind("a name without '$' or NUL", (value) =>
  // eslint-disable-next-line no-control-regex
  typeof value === 'string' && /^[^$\0]+$/.test(value) ? value : undefined,
);

const databaseName = kind(String.raw`a database name: at most 63 bytes, none of /\. "$*<>:|?`, (value) =>
  // eslint-disable-next-line no-control-regex
  typeof value === 'string' && /^[^/\\. "$*<>:|?\0]+$/.test(value) && Buffer.byteLength(value) <= 63
    ? value
    : undefined,
);

const paths = kind("a list of paths that begin with '/'", (value): readonly string[] | undefined =>
  Array.isArray(value) && value.every((each) => typeof each === 'string' && /^\/[^?#\s]*$/.test(each))
    ? value
    : undefined,
);

const token = kind('text without spaces', (value) =>
  typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : undefined,
);

export const syncSchema = z.strictObject({
  collection: namespaceName.prefault('resources').describe('The collection that the built-in app mirrors feeds into.'),
  key: text.prefault('id').describe('The member of each item that identifies it; stored as `_id`.'),
  token: token
    .optional()
    .describe('The bearer token that a sync must carry. Without one only loopback clients may sync.'),
  strategy: oneOf('auto', 'two-phase', 'scan', 'swap')
    .prefault('auto')
    .describe('How the differences are found and written; `auto` chooses by the size of feed and collection.'),
  atomic: oneOf('auto', true, false)
    .prefault('auto')
    .describe(
      "Whether a reader outside the cluster may see a half-written mirror; `auto` is atomic where it costs little: up to 64 MB, and a twentieth of MongoDB's cache.",
    ),
  max_bytes: size.prefault('1G').describe('The largest feed, decoded.'),
  max_deletes: deletions
    .optional()
    .describe(
      "Refuses a feed that would delete more. Without it, one that would delete more than half of the documents, where these are more than 100; `'100%'` allows everything. `?maxDeletes=` of a request takes its place.",
    ),
  upload_timeout: deadline.prefault('5m').describe('How long an upload may take.'),
  database_timeout: deadline.prefault('60s').describe('How long a run waits for a database that cannot be reached.'),
  conflict_timeout: deadline
    .prefault('5s')
    .describe(
      "How long a run waits, in the pause, for a document or a collection that somebody else's transaction holds; then it gives up.",
    ),
  run_timeout: deadline.prefault('30m').describe('How long one exclusive run may take.'),
});

export const maintenanceSchema = z.strictObject({
  drain_timeout: deadline.prefault('30s').describe('How long a pause waits for the requests in flight.'),
  on_drain_timeout: oneOf('abort', 'force')
    .prefault('abort')
    .describe('After that: give the run up and resume, or cut the stragglers off and say so in the report.'),
  on_pause: oneOf('refuse', 'hold')
    .prefault('refuse')
    .describe('What the built-in app does with a request during a pause: answer 503, or let it wait.'),
  ready_grace: duration.prefault('10s').describe('A pause that lasts longer makes `/readyz` answer 503.'),
  except: paths
    .prefault([])
    .describe(
      'Paths that a pause never holds, such as a health check of your own: each, and what is below it. They count for an app without `gate()`, and beside the exceptions of one with it.',
    ),
  page: text
    .optional()
    .describe(
      'An HTML file of your own for browsers during a pause, relative to `cwd`, at most 256 kB; `{{reason}}`, `{{seconds}}` and `{{until}}` (a time of day) in it are filled in. A reload reads it anew.',
    ),
});

export const quiesceSchema = z.strictObject({
  mongodb: z
    .strictObject({
      uri: mongodbUri.optional().describe('Where MongoDB is.'),
      db: databaseName.optional().describe('The database; by default the one in the connection string.'),
    })
    .prefault({}),
  scheduling: oneOf('os', 'rr')
    .prefault('os')
    .describe('Who gives a new connection to a worker: the operating system, or the primary in turn (round robin).'),
  sync: syncSchema.prefault({}),
  maintenance: maintenanceSchema.prefault({}),
  websocket_timeout: duration
    .prefault('1s')
    .describe(
      'How long a worker that stops leaves WebSockets open where the app handles neither SIGINT nor SIGTERM. Then it closes them with 1001, going away, as any app whose `kill_timeout` is nearly over.',
    ),
  heartbeat: z
    .strictObject({
      interval: deadline.prefault('1s').describe('How often a worker reports.'),
      timeout: deadline
        .prefault('10s')
        .describe('A worker that has not reported for so long is stuck and is replaced.'),
    })
    .prefault({}),
  admin: z
    .union([
      z.literal(false),
      z.strictObject({
        host: text.prefault('127.0.0.1').describe('Where the dashboard, metrics and the admin interface listen.'),
        port: integer(0, 65535)
          .optional()
          .describe('Their port; 0 for any free one. By default 9615, and one more for each further app in the file.'),
      }),
    ])
    .prefault({}),
  data_dir: text
    .optional()
    .describe(
      'The folder of lock, control socket, journal and spooled feeds; by default one place for all releases of an app, see [operations](operations.md#where-the-data-directory-is).',
    ),
});

export const appSchema = z.object({
  script: text.describe('The script to run, relative to `cwd`.'),
  name: text.optional().describe("The app's name; by default the script's name without its extension."),
  args: argumentList.prefault([]).describe('Arguments of the script.'),
  node_args: argumentList.prefault([]).describe('Arguments of Node itself.'),
  cwd: text.optional().describe("The working directory; by default the configuration's folder."),
  instances: instances.prefault(1).describe('How many workers.'),
  env: environment.prefault({}).describe('Environment variables of the app.'),
  port: integer(0, 65535).optional().describe('A short form of `env.PORT`.'),
  max_memory_restart: size.optional().describe('A worker that uses more memory is replaced.'),
  kill_timeout: deadline
    .prefault(1600)
    .describe('How long a worker that was told to stop may take before it is killed.'),
  listen_timeout: deadline
    .prefault(3000)
    .describe(
      'How long a new worker may take until it listens or is ready; then it is killed as one that cannot boot. At the default it is only warned about and gets 30 s: PM2 carries on with a worker that is not ready.',
    ),
  wait_ready: flag
    .prefault(false)
    .describe("Whether a worker is ready only once the app has called `process.send('ready')`."),
  min_uptime: deadline
    .prefault('1s')
    .describe('A worker that ends sooner did not start: the next one waits ever longer.'),
  max_restarts: integer(0)
    .prefault(16)
    .describe(
      'A slot whose workers fail more often within a minute is in a loop: it is tried again every 15 s only, until one lasts 30 s. PM2 gives up for ever.',
    ),
  restart_delay: duration.prefault(0).describe('The wait before a crashed worker is started again.'),
  exp_backoff_restart_delay: duration
    .prefault(0)
    .describe(
      'The first wait before a restart; each further one is twice as long, up to 15 s, until a worker lasts 30 s.',
    ),
  out_file: text.optional().describe("A file for the workers' standard output."),
  error_file: text.optional().describe("A file for the workers' standard error."),
  merge_logs: flag.prefault(false).describe('One log file for all workers instead of one for each.'),
  log_date_format: text
    .optional()
    .describe('The format of the time before each line of a log file, such as `YYYY-MM-DD HH:mm:ss`.'),
  time: flag.prefault(false).describe('A short form of `log_date_format: "YYYY-MM-DDTHH:mm:ss"`.'),
  cron_restart: cronPattern
    .optional()
    .describe(
      'When to replace all workers, one after another and without a failed request. PM2 restarts them all at once.',
    ),
  instance_var: text.prefault('NODE_APP_INSTANCE').describe("The environment variable that holds a worker's slot."),
  increment_var: text.optional().describe('An environment variable whose number grows by one with each slot.'),
  quiesce: quiesceSchema.prefault({}).describe("quiesce's own settings."),
});

export type ParsedApp = z.output<typeof appSchema>;
