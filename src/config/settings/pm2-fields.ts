/** PM2's other fields: alternative names of fields, and fields that quiesce does not use, with the reason. */

/** PM2's alternative names. It also reads each field in camelCase; those names are not listed here. */
export const aliases: Readonly<Record<string, string>> = {
  exec: 'script',
  cmd: 'script',
  command: 'script',
  interpreter_args: 'node_args',
  interpreterArgs: 'node_args',
  interpreter: 'exec_interpreter',
  out: 'out_file',
  output: 'out_file',
  out_log: 'out_file',
  error: 'error_file',
  err: 'error_file',
  err_file: 'error_file',
  err_log: 'error_file',
  log: 'log_file',
  combine_logs: 'merge_logs',
  cron: 'cron_restart',
  pid: 'pid_file',
  user: 'uid',
};

interface Unsupported {
  /** Values with which the field has no effect, so that no warning is needed. */
  readonly harmless: readonly unknown[];
  /** What happens instead, and what to do. */
  readonly instead: string;
  /** The app would not run as intended: the field is refused instead of a warning. */
  readonly refused?: true;
}

const off = [false, undefined, null, ''] as const;
const monitoring: Unsupported = { harmless: [...off, true], instead: "belongs to PM2's own monitoring" };
const always = (instead: string): Unsupported => ({ harmless: off, instead });

export const unsupported: Readonly<Record<string, Unsupported>> = {
  watch: always('files are not watched; run `quiesce reload` when they have changed'),
  ignore_watch: always('files are not watched'),
  watch_delay: always('files are not watched'),
  watch_options: always('files are not watched'),
  exec_mode: {
    harmless: [...off, 'cluster', 'cluster_mode'],
    instead: 'every app runs as a cluster, with one worker too',
  },
  exec_interpreter: {
    harmless: [...off, 'node', process.execPath],
    instead: 'only Node can run a worker; it is the one that runs quiesce',
    refused: true,
  },
  uid: { harmless: off, instead: 'start quiesce itself as that user (`User=` in a systemd unit)', refused: true },
  gid: { harmless: off, instead: 'start quiesce itself with that group (`Group=` in a systemd unit)', refused: true },
  username: always('start quiesce itself as that user'),
  autorestart: { harmless: [...off.slice(1), true], instead: 'a worker that ends is always replaced' },
  stop_exit_codes: always('a worker that ends is always replaced, whatever its exit code'),
  autostart: { harmless: [...off.slice(1), true], instead: '`quiesce start` always starts it; choose with `--only`' },
  log_file: always('use `out_file` and `error_file`, or `quiesce logs`'),
  log_type: always('the combined log (`quiesce logs`) is JSON; `out_file` and `error_file` hold plain lines'),
  disable_logs: always('logs go to standard output, and to files where `out_file` or `error_file` name some'),
  pid_file: always('`quiesce status --json` shows the pids'),
  shutdown_with_message: always('workers are stopped with a message anyway'),
  source_map_support: { harmless: [...off, true], instead: "add `node_args: '--enable-source-maps'`" },
  disable_source_map_support: {
    harmless: [...off, true],
    instead: 'source maps are off unless `node_args` turns them on',
  },
  filter_env: always('workers get the whole environment of `quiesce start`'),
  append_env_to_name: always('set `name`'),
  name_prefix: always('set `name`'),
  namespace: { harmless: [...off, 'default'], instead: 'there are no namespaces; choose apps with `--only`' },
  install_url: always('install dependencies before the start'),
  post_update: always('run such commands where you deploy'),
  force: always('one primary per data directory; give a second one its own `quiesce.data_dir`'),
  execute_command: always('only scripts can be run'),
  treekill: { harmless: [...off, true], instead: 'a worker stops its own children' },
  kill_retry_time: { harmless: [...off, 100], instead: 'a worker is killed once, after `kill_timeout`' },
  windowsHide: { harmless: [...off, true], instead: 'has no meaning here' },
  write: always('has no meaning here'),
  vizion: { harmless: [...off, true], instead: 'versioning metadata are not read' },
  pmx: monitoring,
  automation: monitoring,
  trace: monitoring,
  disable_trace: monitoring,
  v8: monitoring,
  event_loop_inspector: monitoring,
  deep_monitoring: monitoring,
  io: always("belongs to PM2's own monitoring"),
};
