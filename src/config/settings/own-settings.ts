/** quiesce's own settings, which are under `quiesce` in the file. See {@link Setting}. */
import { isIP } from 'node:net';
import { feedSources, shownSource } from '../values/feed-sources.ts';
import { deletions, key, members, pointer } from '../values/mirror-kinds.ts';
import { strategies } from '../../protocol/words.ts';
import { deadline, duration, flag, integer, kind, oneOf, size, text } from '../values/kinds.ts';
import { withoutPassword } from '../values/mongodb-uri.ts';
import { receivers, shownReceiver } from '../values/receivers.ts';
import { atStart, setting, Switchable } from './setting.ts';

const mongodbUri = kind("a connection string that begins with 'mongodb://' or 'mongodb+srv://'", (value) =>
  typeof value === 'string' && /^mongodb(\+srv)?:\/\/\S+$/.test(value) ? value : undefined,
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

const networks = kind(
  "a list of IP addresses and networks, such as '10.0.0.0/8' or '2001:db8::/32'",
  (value): readonly string[] | undefined => (Array.isArray(value) && value.every(isNetwork) ? value : undefined),
);

function isNetwork(value: unknown): value is string {
  const [, address = '', bits] = (typeof value === 'string' && /^([\d.:a-f]+)(?:\/(\d{1,3}))?$/i.exec(value)) || [];
  const family = isIP(address);
  return family !== 0 && Number(bits ?? 0) <= (family === 4 ? 32 : 128);
}

const token = kind('text without spaces', (value) =>
  typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : undefined,
);

export const ownSettings = {
  mongodb: {
    uri: setting(mongodbUri, {
      default: null,
      readBy: ['primary', 'worker'],
      change: 'new-primary',
      docs: 'Where MongoDB is.',
      shown: withoutPassword,
    }),
    db: setting(databaseName, {
      default: null,
      readBy: ['primary', 'worker'],
      change: 'new-primary',
      docs: 'The database; by default the one in the connection string.',
    }),
  },
  scheduling: setting(oneOf('os', 'rr'), {
    default: 'os',
    readBy: ['primary'],
    change: 'new-primary',
    docs: 'Who gives a new connection to a worker: the operating system, or the primary in turn (round robin).',
  }),
  sync: {
    collection: setting(namespaceName, {
      default: 'resources',
      readBy: ['worker'],
      change: 'new-workers',
      docs: 'The collection that the built-in app mirrors feeds into.',
    }),
    key: setting(key, {
      default: 'id',
      readBy: ['worker'],
      change: 'new-workers',
      docs: "The member of each item that identifies it, by a path such as `'sku.id'`, or a list of several; stored as `_id`.",
    }),
    keep: setting(members, {
      default: [],
      readBy: ['worker'],
      change: 'new-workers',
      docs: 'The members that the app owns: a run neither compares nor changes them.',
    }),
    deletes: setting(flag, {
      default: true,
      readBy: ['worker'],
      change: 'new-workers',
      docs: 'Whether a run deletes the documents that the feed does not have. `false` merges the feed into the collection.',
    }),
    items: setting(pointer, {
      default: '',
      readBy: ['worker'],
      change: 'new-workers',
      docs: 'Where the array is in a JSON feed that is an object, for the built-in app: a JSON Pointer (RFC 6901). `?items=` of a request takes its place. NDJSON needs none.',
    }),
    source: setting(feedSources, {
      default: [],
      readBy: ['primary'],
      change: 'in-place',
      docs: 'Feeds that are fetched on a schedule, see [operations](operations.md#feeds-that-are-fetched).',
      shown: (list) => list.map(shownSource),
    }),
    token: setting(token, {
      default: null,
      readBy: ['worker'],
      change: 'new-workers',
      docs: 'The bearer token that a sync must carry. Without one only loopback clients may sync.',
      shown: () => '(set)',
    }),
    strategy: setting(oneOf('auto', ...strategies), {
      default: 'auto',
      readBy: ['primary'],
      change: 'in-place',
      docs: 'How the differences are found and written; `auto` chooses by the size of feed and collection.',
    }),
    atomic: setting(oneOf('auto', true, false), {
      default: 'auto',
      readBy: ['primary'],
      change: 'in-place',
      docs: "Whether a reader outside the cluster may see a half-written mirror; `auto` is atomic where it costs little: up to 64 MB, and a twentieth of MongoDB's cache.",
    }),
    max_bytes: setting(size, {
      default: '1G',
      readBy: ['primary', 'worker'],
      change: 'new-workers',
      docs: 'The largest feed, decoded.',
    }),
    max_deletes: setting(deletions, {
      default: null,
      readBy: ['primary'],
      change: 'in-place',
      docs: "Refuses a feed that would delete more. Without it, one that would delete more than 100 documents and more than half of them; `'100%'` allows everything. `?maxDeletes=` of a request takes its place.",
    }),
    upload_timeout: setting(deadline, {
      default: '5m',
      readBy: ['primary', 'worker'],
      change: 'new-workers',
      docs: 'How long an upload may take.',
    }),
    database_timeout: setting(deadline, {
      default: '60s',
      readBy: ['primary'],
      change: 'in-place',
      docs: 'How long a run waits for a database that cannot be reached.',
    }),
    conflict_timeout: setting(deadline, {
      default: '5s',
      readBy: ['primary'],
      change: 'in-place',
      docs: "How long a run waits, in the pause, for a document or a collection that somebody else's transaction holds; then it gives up.",
    }),
    run_timeout: setting(deadline, {
      default: '30m',
      readBy: ['primary', 'worker'],
      change: 'new-workers',
      docs: 'How long one exclusive run may take.',
    }),
  },
  maintenance: {
    drain_timeout: setting(deadline, {
      default: '30s',
      readBy: ['primary', 'worker'],
      change: 'new-workers',
      docs: 'How long a pause waits for the requests in flight.',
    }),
    on_drain_timeout: setting(oneOf('abort', 'force'), {
      default: 'abort',
      readBy: ['primary'],
      change: 'in-place',
      docs: 'After that: give the run up and resume, or cut the stragglers off and say so in the report.',
    }),
    on_pause: setting(oneOf('refuse', 'hold'), {
      default: 'refuse',
      readBy: ['worker'],
      change: 'new-workers',
      docs: 'What the built-in app does with a request during a pause: answer 503, or let it wait.',
    }),
    ready_grace: setting(duration, {
      default: '10s',
      readBy: ['primary', 'worker'],
      change: 'new-workers',
      docs: 'A pause that lasts longer makes `/readyz` answer 503.',
    }),
    except: setting(paths, {
      default: [],
      readBy: ['worker'],
      change: 'new-workers',
      docs: 'Paths that a pause never holds, such as a health check of your own: each, and what is below it. They count for an app without `gate()`, and beside the exceptions of one with it.',
    }),
    allow: setting(networks, {
      default: [],
      readBy: ['worker'],
      change: 'new-workers',
      docs: 'Addresses whose requests pass the hold of an operator, never that of a run or an `exec`. Behind a proxy they count by the `trust proxy` of an Express app with `gate()`, and not at all in an app without; see [operations](operations.md#a-way-in).',
    }),
    page: setting(text, {
      default: null,
      readBy: ['worker'],
      change: 'new-workers',
      docs: 'An HTML file of your own for browsers during a pause, relative to `cwd`, at most 256 kB; `{{reason}}`, `{{seconds}}` and `{{until}}` (a time of day) in it are filled in. A reload reads it anew.',
    }),
  },
  websocket_timeout: setting(duration, {
    default: '1s',
    readBy: ['primary'],
    change: 'in-place',
    docs: 'How long a worker that stops leaves WebSockets open where the app handles neither SIGINT nor SIGTERM. Then it closes them with 1001, going away, as any app whose `kill_timeout` is nearly over.',
  }),
  heartbeat: {
    interval: setting(deadline, {
      default: '1s',
      readBy: ['worker'],
      change: 'new-workers',
      docs: 'How often a worker reports.',
    }),
    timeout: setting(deadline, {
      default: '10s',
      readBy: ['primary'],
      change: 'in-place',
      docs: 'A worker that has not reported for so long is stuck and is replaced.',
    }),
  },
  cluster: {
    name: setting(text, {
      default: null,
      readBy: ['primary'],
      change: 'new-primary',
      docs: 'The cluster of hosts that this one belongs to: hosts with the same name, MongoDB and database pause together. Without a name a host is alone. See [many hosts](many-hosts.md).',
    }),
    lease: setting(deadline, {
      default: '30s',
      readBy: ['primary'],
      change: 'new-primary',
      docs: 'How long the other hosts count on one that they do not hear from; it is renewed three times as often.',
    }),
    on_partition: setting(oneOf('shut', 'serve'), {
      default: 'shut',
      readBy: ['primary'],
      change: 'new-primary',
      docs: 'What a host does that cannot reach MongoDB for as long as its lease: shut its gates, so that the others can go on without it, or serve on, so that no run of the others begins before it is back or removed.',
    }),
    eviction_grace: setting(deadline, {
      default: '5s',
      readBy: ['primary'],
      change: 'new-primary',
      docs: 'How long what is in flight at the end of a lease may take; then its worker is ended.',
    }),
  },
  admin: new Switchable({
    host: setting(text, {
      default: '127.0.0.1',
      readBy: ['primary'],
      change: 'in-place',
      docs: 'Where the dashboard, metrics and the admin interface listen.',
    }),
    port: setting(integer(0, 65535), {
      default: atStart,
      readBy: ['primary'],
      change: 'in-place',
      docs: 'Their port; 0 for any free one. By default 9615, and one more for each further app in the file.',
    }),
  }),
  notify: setting(receivers, {
    default: [],
    readBy: ['primary'],
    change: 'in-place',
    docs: 'Who is told when something goes wrong, see [operations](operations.md#word-when-something-goes-wrong).',
    shown: (list) => list.map(shownReceiver),
  }),
  data_dir: setting(text, {
    default: atStart,
    readBy: ['primary'],
    change: 'new-primary',
    docs: 'The folder of lock, control socket, journal and spooled feeds; by default one place for all releases of an app, see [operations](operations.md#where-the-data-directory-is).',
  }),
};
