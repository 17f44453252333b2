/**
 * quiesce/primary: runs a site from a program of one's own, which becomes its primary. `quiesce start` is such a
 * program.
 *
 * ```ts
 * const site = await run('ecosystem.config.js');
 * await site.exclusive(async () => migrate());
 * await site.stop();
 * ```
 */
import cluster from 'node:cluster';
import { workingFolder } from './config/data-place.ts';
import { loadConfig } from './config/load.ts';
import { undoing, type Origin } from './config/origin.ts';
import type { AppConfig } from './config.ts';
import { QuiesceError } from './errors.ts';
import { runPrimary, type PrimaryOptions } from './primary/main.ts';
import { OpenSite, type Site } from './primary/open-site.ts';
import type { WrittenApp } from './config/settings/written.ts';

export type { ErrorCode, QuiesceError } from './errors.ts';
export type { ExclusiveOptions, ExclusiveRun, HoldOptions, Site } from './primary/open-site.ts';
export type { ClusterStatus, RunRecord, SettingChange } from './protocol/api/runs.ts';

/** An app as in the list `apps` of an `ecosystem.config.js`. docs/configuration.md has all fields, with their defaults. */
export interface AppDefinition extends WrittenApp {
  /** Settings of PM2 by another name, such as `exec_mode`, or in camelCase. */
  readonly [field: string]: unknown;
}

/** Of {@link run}. */
export interface RunOptions {
  /** Of a file with several apps, the one to run. */
  readonly only?: string;
  /** Adds the variables of `env_<name>`. */
  readonly env?: string;
  /** In place of the setting: a number, `'max'`, 0, or -n. */
  readonly instances?: string | number;
  /** `PORT` of the app, 0 to 65535. */
  readonly port?: string | number;
  /** The port of the admin server, 0 to 65535. */
  readonly adminPort?: string | number;
  /** Default: one place for all releases of the app, as for `quiesce start`. */
  readonly dataDir?: string;
  /**
   * Whether signals to this process steer the site, as docs/signals.md says of `quiesce start`. Default false: the
   * program owns its signals. Then SIGTERM ends it as it ends any program, and the workers with it, at once: a program
   * that wants requests in flight to finish calls {@link Site.stop} first.
   */
  readonly signals?: boolean;
  /** Whether the log also goes to stdout. Default false: it is in the data directory, for `quiesce logs`. */
  readonly stdout?: boolean;
}

/** A site that is starting, and how it ends. */
export interface Starting {
  /** Resolves when the site serves. */
  readonly ready: Promise<Site>;
  /** Resolves with the exit code of `quiesce start` when the site has stopped; rejects with what has ended it. */
  readonly over: Promise<number>;
}

/** One at a time: node:cluster's settings are those of the process. */
let running = false;

/**
 * Starts a site, and makes this process its primary: the commands (`quiesce status`, `maintenance on`, `reload` …) find it as
 * they find that of `quiesce start`. Resolves when the site serves: every worker, but for one that takes longer than 3 s or cannot
 * boot where others can.
 *
 * The workers end with this process, however it ends. It has no keeper: where it is killed, connections are refused
 * until the next start.
 *
 * @param app an ecosystem configuration or a script, relative to the working directory; or an app, which a reload takes
 * as it is, while a file is read again
 * @throws QuiesceError `bad-config` or `bad-usage` for what is wrong; `already-running` where another process runs the site, or
 * this one runs another; `data-dir-unusable`, `database-unreachable`, `port-in-use`, `boot-failed`; `stopping` where
 * it is stopped before it serves. Nothing is left running.
 */
export async function run(app: string | AppDefinition, options: RunOptions = {}): Promise<Site> {
  refuseWorkers();
  const { env: envName, signals = false, stdout = false, ...rest } = options;
  const folder = workingFolder();
  const given = { ...rest, folder, ...(envName === undefined ? {} : { envName }) };
  const origin: Origin = {
    file: typeof app === 'string' ? app : undefined,
    options: { ...given, launched: false },
    env: { ...process.env },
    argv: [...process.argv],
  };
  const { apps } = await loadConfig(origin.file, typeof app === 'string' ? given : { ...given, apps: [app] });
  const [config, ...others] = apps;
  if (config === undefined || others.length > 0) {
    const names = apps.map(({ name }) => name).join(', ');
    throw new QuiesceError(
      'bad-usage',
      `Several apps (${names}): a process runs one of them; choose it with \`only\`.`,
    );
  }
  const inherited = undoing(origin.env, process.env);
  return start(config, { inherited, signals, stdout, ...(typeof app === 'string' ? { origin } : {}) }).ready;
}

/** What `run` and `quiesce start` have in common. */
export function start(config: AppConfig, options: Omit<PrimaryOptions, 'more' | 'opened'>): Starting {
  let opened!: (site: Site) => void;
  const serves = new Promise<Site>((resolve) => (opened = resolve));
  const over = primaryOf(config, options, opened);
  const ended = over.then(() => {
    throw new QuiesceError('stopping', `${config.name} was stopped before it served.`);
  });
  const ready = Promise.race([serves, ended]);
  // Whoever waits for one of them hears of a failure.
  for (const each of [ready, ended, over]) each.catch(() => undefined);
  return { ready, over };
}

/** @throws QuiesceError `bad-usage` */
export function refuseWorkers(): void {
  if (!cluster.isWorker) return;
  throw new QuiesceError(
    'bad-usage',
    'This process is a cluster worker of another supervisor, and quiesce forks workers itself. Under PM2 run it in fork mode: `quiesce startup pm2` prints such a configuration.',
  );
}

async function primaryOf(
  config: AppConfig,
  options: Omit<PrimaryOptions, 'more' | 'opened'>,
  opened: (site: Site) => void,
): Promise<number> {
  if (running)
    throw new QuiesceError('already-running', 'This process runs a site already, and node:cluster is for one.');
  running = true;
  let site: OpenSite | null = null;
  try {
    const code = await runPrimary(config, {
      ...options,
      more: async () => [(await import('./dashboard/routes.ts')).dashboard()],
      opened: (parts) => {
        site = new OpenSite(parts);
        opened(site);
      },
    });
    (site as OpenSite | null)?.hasEnded(null);
    return code;
  } catch (error) {
    (site as OpenSite | null)?.hasEnded(error);
    throw error;
  } finally {
    running = false;
  }
}
