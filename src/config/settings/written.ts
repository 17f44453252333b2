/** The settings of an app as a user writes them. Made by dev/docs from their declarations; `npm run docs` makes it anew. */
export interface WrittenApp {
  /** The script to run, relative to `cwd`. */
  readonly script: string;
  /** The app's name; by default the script's name without its extension. */
  readonly name?: string;
  /** Arguments of the script. Default: []. */
  readonly args?: string | readonly (string | number)[];
  /** Arguments of Node itself. Default: []. */
  readonly node_args?: string | readonly (string | number)[];
  /** The working directory; by default the configuration's folder. */
  readonly cwd?: string;
  /** How many workers. Default: 1. */
  readonly instances?: number | string;
  /** Environment variables of the app. Default: {}. */
  readonly env?: Readonly<Record<string, string | number | boolean>>;
  /** A short form of `env.PORT`. */
  readonly port?: number | string;
  /** A worker that uses more memory is replaced. */
  readonly max_memory_restart?: number | string;
  /** How long a worker that was told to stop may take before it is killed. If it is not set: 1.6 s, as with PM2; but a worker that a reload, a scale or a new primary replaces has up to 30 s while it still answers requests (event streams are not counted). */
  readonly kill_timeout?: number | string;
  /** How long a new worker may take until it listens or is ready; then it is killed as one that cannot boot. At the default it is only warned about and gets 30 s: PM2 carries on with a worker that is not ready. Default: 3000. */
  readonly listen_timeout?: number | string;
  /** Whether a worker is ready only once the app has called `process.send('ready')`. Default: false. */
  readonly wait_ready?: boolean;
  /** A worker that ends sooner did not start: the next one waits ever longer. Default: '1s'. */
  readonly min_uptime?: number | string;
  /** A slot whose workers fail more often within a minute is in a loop: it is tried again every 15 s only, until one lasts 30 s. PM2 gives up for ever. Default: 16. */
  readonly max_restarts?: number | string;
  /** The wait before a crashed worker is started again. Default: 0. */
  readonly restart_delay?: number | string;
  /** The first wait before a restart; each further one is twice as long, up to 15 s, until a worker lasts 30 s. Default: 0. */
  readonly exp_backoff_restart_delay?: number | string;
  /** A file for the workers' standard output. */
  readonly out_file?: string;
  /** A file for the workers' standard error. */
  readonly error_file?: string;
  /** One log file for all workers instead of one for each. Default: false. */
  readonly merge_logs?: boolean;
  /** The format of the time before each line of a log file, such as `YYYY-MM-DD HH:mm:ss`. */
  readonly log_date_format?: string;
  /** A short form of `log_date_format: "YYYY-MM-DDTHH:mm:ss"`. Default: false. */
  readonly time?: boolean;
  /** When to replace all workers, one after another and without a failed request. PM2 restarts them all at once. */
  readonly cron_restart?: number | string;
  /** The environment variable that holds a worker's slot. Default: 'NODE_APP_INSTANCE'. */
  readonly instance_var?: string;
  /** An environment variable whose number grows by one with each slot. */
  readonly increment_var?: string;
  /** Settings that PM2 does not have. */
  readonly quiesce?: {
    readonly mongodb?: {
      /** Where MongoDB is. */
      readonly uri?: string;
      /** The database; by default the one in the connection string. */
      readonly db?: string;
    };
    /** Who gives a new connection to a worker: the operating system, or the primary in turn (round robin). Default: 'os'. */
    readonly scheduling?: 'os' | 'rr';
    readonly sync?: {
      /** The collection that the built-in app mirrors feeds into. Default: 'resources'. */
      readonly collection?: string;
      /** The member of each item that identifies it, by a path such as `'sku.id'`, or a list of several; stored as `_id`. Default: 'id'. */
      readonly key?: string | readonly string[];
      /** The members that the app owns: a run neither compares nor changes them. Default: []. */
      readonly keep?: readonly string[];
      /** Whether a run deletes the documents that the feed does not have. `false` merges the feed into the collection. Default: true. */
      readonly deletes?: boolean;
      /** Where the array is in a JSON feed that is an object, for the built-in app: a JSON Pointer (RFC 6901). `?items=` of a request takes its place. NDJSON needs none. Default: ''. */
      readonly items?: string;
      /** Feeds that are fetched on a schedule, see docs/operations.md#feeds-that-are-fetched. Default: []. */
      readonly source?: Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[];
      /** The bearer token that a sync must carry. Without one only loopback clients may sync. */
      readonly token?: string;
      /** How the differences are found and written; `auto` chooses by the size of feed and collection. Default: 'auto'. */
      readonly strategy?: 'auto' | 'two-phase' | 'scan' | 'swap';
      /** Whether a reader outside the cluster may see a half-written mirror; `auto` is atomic where it costs little: up to 64 MB, and a twentieth of MongoDB's cache. Default: 'auto'. */
      readonly atomic?: 'auto' | true | false;
      /** The largest feed, decoded. Default: '1G'. */
      readonly max_bytes?: number | string;
      /** Refuses a feed that would delete more. Without it, one that would delete more than 100 documents and more than half of them; `'100%'` allows everything. `?maxDeletes=` of a request takes its place. */
      readonly max_deletes?: number | string;
      /** How long an upload may take. Default: '5m'. */
      readonly upload_timeout?: number | string;
      /** How long a run waits for a database that cannot be reached. Default: '60s'. */
      readonly database_timeout?: number | string;
      /** How long a run waits, in the pause, for a document or a collection that somebody else's transaction holds; then it gives up. Default: '5s'. */
      readonly conflict_timeout?: number | string;
      /** How long one exclusive run may take. Default: '30m'. */
      readonly run_timeout?: number | string;
    };
    readonly maintenance?: {
      /** How long a pause waits for the requests in flight. Default: '30s'. */
      readonly drain_timeout?: number | string;
      /** After that: give the run up and resume, or cut the stragglers off and say so in the report. Default: 'abort'. */
      readonly on_drain_timeout?: 'abort' | 'force';
      /** What the built-in app does with a request during a pause: answer 503, or let it wait. Default: 'refuse'. */
      readonly on_pause?: 'refuse' | 'hold';
      /** A pause that lasts longer makes `/readyz` answer 503. Default: '10s'. */
      readonly ready_grace?: number | string;
      /** Paths that a pause never holds, such as a health check of your own: each, and what is below it. They count for an app without `gate()`, and beside the exceptions of one with it. Default: []. */
      readonly except?: readonly string[];
      /** Addresses whose requests pass the hold of an operator, never that of a run or an `exec`. Behind a proxy they count by the `trust proxy` of an Express app with `gate()`, and not at all in an app without; see docs/operations.md#a-way-in. Default: []. */
      readonly allow?: readonly string[];
      /** An HTML file of your own for browsers during a pause, relative to `cwd`, at most 256 kB; `{{reason}}`, `{{seconds}}` and `{{until}}` (a time of day) in it are filled in. A reload reads it anew. */
      readonly page?: string;
    };
    /** How long a worker that stops leaves WebSockets open where the app handles neither SIGINT nor SIGTERM. Then it closes them with 1001, going away, as any app whose `kill_timeout` is nearly over. Default: '1s'. */
    readonly websocket_timeout?: number | string;
    readonly heartbeat?: {
      /** How often a worker reports. Default: '1s'. */
      readonly interval?: number | string;
      /** A worker that has not reported for so long is stuck and is replaced. Default: '10s'. */
      readonly timeout?: number | string;
    };
    readonly cluster?: {
      /** The cluster of hosts that this one belongs to: hosts with the same name, MongoDB and database pause together. Without a name a host is alone. See docs/many-hosts.md. */
      readonly name?: string;
      /** How long the other hosts count on one that they do not hear from; it is renewed three times as often. Default: '30s'. */
      readonly lease?: number | string;
      /** What a host does that cannot reach MongoDB for as long as its lease: shut its gates, so that the others can go on without it, or serve on, so that no run of the others begins before it is back or removed. Default: 'shut'. */
      readonly on_partition?: 'shut' | 'serve';
      /** How long what is in flight at the end of a lease may take; then its worker is ended. Default: '5s'. */
      readonly eviction_grace?: number | string;
    };
    readonly admin?: false | WrittenAdmin;
    /** Who is told when something goes wrong, see docs/operations.md#word-when-something-goes-wrong. Default: []. */
    readonly notify?: readonly Readonly<Record<string, unknown>>[];
    /** The folder of lock, control socket, journal and spooled feeds; by default one place for all releases of an app, see docs/operations.md#where-the-data-directory-is. */
    readonly data_dir?: string;
  };
}

/** The section `admin`; `false` switches it off. */
export interface WrittenAdmin {
  /** Where the dashboard, metrics and the admin interface listen. Default: '127.0.0.1'. */
  readonly host?: string;
  /** Their port; 0 for any free one. By default 9615, and one more for each further app in the file. */
  readonly port?: number | string;
}
