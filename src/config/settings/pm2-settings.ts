/** The settings that PM2 also has, with PM2's names, meanings and defaults (7.0). See {@link Setting}. */
import { isCronPattern } from '../values/cron-pattern.ts';
import { argumentList, deadline, duration, flag, instances, integer, kind, size, text } from '../values/kinds.ts';
import { atStart, required, setting } from './setting.ts';

/** Values that are not text become JSON, as in PM2; null means that the variable is not set. */
const environment = kind('an object of variables', (value): Readonly<Record<string, string>> | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, unknown>>)
      .filter(([, each]) => each !== undefined && each !== null)
      .map(([name, each]) => [name, typeof each === 'string' ? each : JSON.stringify(each)]),
  );
});

const cronPattern = kind("a cron pattern such as '0 3 * * *', or 0 for none", (value): string | undefined => {
  if (value === 0 || value === '0') return '';
  return typeof value === 'string' && isCronPattern(value) ? value : undefined;
});

export const pm2Settings = {
  script: setting(text, {
    default: required,
    readBy: ['primary'],
    change: 'new-workers',
    docs: 'The script to run, relative to `cwd`.',
  }),
  name: setting(text, {
    default: atStart,
    readBy: ['primary', 'worker'],
    change: 'new-primary',
    docs: "The app's name; by default the script's name without its extension.",
  }),
  args: setting(argumentList, {
    default: [],
    readBy: ['primary'],
    change: 'new-workers',
    docs: 'Arguments of the script.',
  }),
  node_args: setting(argumentList, {
    default: [],
    readBy: ['primary'],
    change: 'new-workers',
    docs: 'Arguments of Node itself.',
  }),
  cwd: setting(text, {
    default: atStart,
    readBy: ['primary'],
    change: 'new-workers',
    docs: "The working directory; by default the configuration's folder.",
  }),
  instances: setting(instances, { default: 1, readBy: ['primary'], change: 'in-place', docs: 'How many workers.' }),
  env: setting(environment, {
    default: {},
    readBy: ['primary'],
    change: 'new-workers',
    docs: 'Environment variables of the app.',
    shown: Object.keys,
  }),
  port: setting(integer(0, 65535), {
    default: null,
    readBy: [],
    change: 'new-workers',
    docs: 'A short form of `env.PORT`.',
  }),
  max_memory_restart: setting(size, {
    default: null,
    readBy: ['primary'],
    change: 'in-place',
    docs: 'A worker that uses more memory is replaced.',
  }),
  kill_timeout: setting(deadline, {
    default: null,
    readBy: ['primary'],
    change: 'in-place',
    docs: 'How long a worker that was told to stop may take before it is killed. If it is not set: 1.6 s, as with PM2; but a worker that a reload, a scale or a new primary replaces has up to 30 s while it still answers requests (event streams are not counted).',
  }),
  listen_timeout: setting(deadline, {
    default: 3000,
    readBy: ['primary'],
    change: 'in-place',
    docs: 'How long a new worker may take until it listens or is ready; then it is killed as one that cannot boot. At the default it is only warned about and gets 30 s: PM2 carries on with a worker that is not ready.',
  }),
  wait_ready: setting(flag, {
    default: false,
    readBy: ['primary'],
    change: 'new-workers',
    docs: "Whether a worker is ready only once the app has called `process.send('ready')`.",
  }),
  min_uptime: setting(deadline, {
    default: '1s',
    readBy: ['primary'],
    change: 'in-place',
    docs: 'A worker that ends sooner did not start: the next one waits ever longer.',
  }),
  max_restarts: setting(integer(0), {
    default: 16,
    readBy: ['primary'],
    change: 'in-place',
    docs: 'A slot whose workers fail more often within a minute is in a loop: it is tried again every 15 s only, until one lasts 30 s. PM2 gives up for ever.',
  }),
  restart_delay: setting(duration, {
    default: 0,
    readBy: ['primary'],
    change: 'in-place',
    docs: 'The wait before a crashed worker is started again.',
  }),
  exp_backoff_restart_delay: setting(duration, {
    default: 0,
    readBy: ['primary'],
    change: 'in-place',
    docs: 'The first wait before a restart; each further one is twice as long, up to 15 s, until a worker lasts 30 s.',
  }),
  out_file: setting(text, {
    default: null,
    readBy: ['primary'],
    change: 'in-place',
    docs: "A file for the workers' standard output.",
  }),
  error_file: setting(text, {
    default: null,
    readBy: ['primary'],
    change: 'in-place',
    docs: "A file for the workers' standard error.",
  }),
  merge_logs: setting(flag, {
    default: false,
    readBy: ['primary'],
    change: 'in-place',
    docs: 'One log file for all workers instead of one for each.',
  }),
  log_date_format: setting(text, {
    default: null,
    readBy: ['primary'],
    change: 'in-place',
    docs: 'The format of the time before each line of a log file, such as `YYYY-MM-DD HH:mm:ss`.',
  }),
  time: setting(flag, {
    default: false,
    readBy: [],
    change: 'in-place',
    docs: 'A short form of `log_date_format: "YYYY-MM-DDTHH:mm:ss"`.',
  }),
  cron_restart: setting(cronPattern, {
    default: null,
    readBy: ['primary'],
    change: 'in-place',
    docs: 'When to replace all workers, one after another and without a failed request. PM2 restarts them all at once.',
  }),
  instance_var: setting(text, {
    default: 'NODE_APP_INSTANCE',
    readBy: ['primary'],
    change: 'new-workers',
    docs: "The environment variable that holds a worker's slot.",
  }),
  increment_var: setting(text, {
    default: null,
    readBy: ['primary'],
    change: 'new-workers',
    docs: 'An environment variable whose number grows by one with each slot.',
  }),
};
