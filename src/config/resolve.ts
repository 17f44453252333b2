/** Combines a validated app with the environment and the flags into the configuration of the primary. */
import { existsSync, readFileSync, statSync, type Stats } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { appName, dataPlace, folderName, isSwitched } from './data-place.ts';
import { availableCores } from './cores.ts';
import { workersFor } from './values/units.ts';
import { pagePlaceholders, unknownPlaceholders } from './values/page-placeholders.ts';
import { ownSettings } from './settings/own-settings.ts';
import { pm2Settings } from './settings/pm2-settings.ts';
import { valuesOf, type ParsedApp } from './settings/schema.ts';
import type { Values } from './settings/setting.ts';
import type { AppConfig } from '../config.ts';
import { uriFault } from './values/mongodb-uri.ts';

export interface Overrides {
  readonly instances: number | undefined;
  readonly port: number | undefined;
  readonly adminPort: number | undefined;
  readonly dataDir: string | undefined;
  readonly processEnv: Readonly<Record<string, string | undefined>>;
  /** The base of a relative `--data-dir`. */
  readonly flagFolder: string;
  /** The configuration's folder. */
  readonly folder: string;
  /** The index of the app in the file. It gives each app its own admin port. */
  readonly index: number;
  /** The value of the requested `env_<name>`. */
  readonly environment: unknown;
  /** Whether more than one app is started. */
  readonly several: boolean;
  /** Whether the app is one of several that were started together. */
  readonly launched: boolean;
  /** Variables that the file set in the environment during its evaluation. */
  readonly setByFile: Readonly<Record<string, string | undefined>>;
}

export interface Resolved {
  readonly config: AppConfig;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

const firstAdminPort = 9615;
/** The longest name of an app. Most file systems allow 255 bytes for the name of a folder. */
const longestName = 200;
/** The largest `maintenance.page`, bytes: each worker keeps it, and sends it to each visitor during a pause. */
const largestPage = 256 * 1024;

export function resolveApp(app: ParsedApp, given: Overrides): Resolved {
  const name = appName(app);
  const faults: string[] = [];
  const warnings: string[] = [];
  const { quiesce } = app;
  const fromProcess = (variable: string): string | undefined => given.processEnv[variable] || undefined;

  const cwd = path.resolve(given.folder, app.cwd ?? '.');
  const script = path.resolve(cwd, app.script);
  if (!isFolder(cwd)) faults.push(`${name}: cwd is ${cwd}, and there is no such folder`);
  else if (!existsSync(script)) faults.push(`${name}: script is ${script}, and there is no such file`);
  if (quiesce.heartbeat.timeout < 2 * quiesce.heartbeat.interval) {
    faults.push(`${name}: quiesce.heartbeat.timeout has to be at least twice quiesce.heartbeat.interval`);
  }
  const page = quiesce.maintenance.page === undefined ? null : path.resolve(cwd, quiesce.maintenance.page);
  if (page !== null && !isPage(page)) {
    faults.push(`${name}: quiesce.maintenance.page is ${page}, which is no file of at most 256 kB`);
  } else if (page !== null) {
    const names = unknownPlaceholders(readFileSync(page, 'utf8')).map((each) => `{{${each}}}`);
    if (names.length > 0)
      warnings.push(
        `${name}: quiesce.maintenance.page has ${names.join(', ')}, which stays empty; there are ${pagePlaceholders.map((each) => `{{${each}}}`).join(', ')}`,
      );
  }
  if (!/[a-z0-9]/i.test(name))
    faults.push(`${name}: name needs a letter or a digit, since the data directory is called by it`);
  if (Buffer.byteLength(name) > longestName)
    faults.push(`name has ${Buffer.byteLength(name)} bytes; at most ${longestName}, since a folder is called by it`);

  // A variable that only quiesce needs is removed, so that no worker's environment shows it.
  const { QUIESCE_SYNC_TOKEN: tokenInFile, ...env } = environmentOf(app, given, fromProcess, warnings);
  const token = checked(
    `${name}: QUIESCE_SYNC_TOKEN`,
    ownSettings.sync.token.kind,
    fromProcess('QUIESCE_SYNC_TOKEN') ?? tokenInFile,
    faults,
  );
  const uri =
    checked(`${name}: MONGODB_URI`, ownSettings.mongodb.uri.kind, fromProcess('MONGODB_URI'), faults) ??
    quiesce.mongodb.uri;
  const mongodb = uri ?? env['MONGODB_URI'] ?? null;
  const fault = mongodb === null ? null : uriFault(mongodb);
  if (fault !== null) faults.push(`${name}: the connection string of MongoDB cannot be used: ${fault}`);
  const file = (value: string | null): string | null =>
    value === null || value === '/dev/null' || value === 'NULL'
      ? null
      : path.resolve(cwd, value.replace(/^~(?=\/|$)/, os.homedir()));

  const { pm2, own } = { pm2: valuesOf(pm2Settings, app), own: valuesOf(ownSettings, quiesce) };
  const config: AppConfig = {
    ...pm2,
    ...own,
    name,
    script,
    cwd,
    instances: workersFor(given.instances ?? app.instances, availableCores()),
    env,
    outFile: file(pm2.outFile),
    errorFile: file(pm2.errorFile),
    logDateFormat: pm2.logDateFormat ?? (app.time ? 'YYYY-MM-DDTHH:mm:ss' : null),
    cronRestart: pm2.cronRestart || null,
    dataDir: dataDirOf(name, quiesce.data_dir, given, { faults, warnings }),
    mongodb: { ...own.mongodb, uri: mongodb },
    sync: { ...own.sync, token: token ?? own.sync.token },
    maintenance: { ...own.maintenance, page },
    admin: adminOf(own.admin, given),
  };
  if (config.scheduling === 'rr' && config.cluster.name !== null)
    warnings.push(
      `${name}: quiesce.scheduling is 'rr' on a host of quiesce.cluster.name: the primary accepts every connection in the event loop in which it renews its lease, so a rush of connections can make it late. Use 'os'`,
    );
  return { config, faults, warnings };
}

/** A port on the command line switches the admin server on, even if the file has none. */
function adminOf(
  admin: Values<typeof ownSettings, null>['admin'],
  { adminPort, index }: Overrides,
): AppConfig['admin'] {
  const { host } = ownSettings.admin.members;
  if (admin === null) return adminPort === undefined ? null : { host: host.default, port: adminPort };
  return { host: admin.host, port: adminPort ?? admin.port ?? firstAdminPort + index };
}

function isPage(file: string): boolean {
  const stat = statsOf(file);
  return stat?.isFile() === true && stat.size <= largestPage;
}

function isFolder(file: string): boolean {
  return statsOf(file)?.isDirectory() ?? false;
}

/**
 * Returns undefined if the file does not exist or cannot be accessed, such as a name that is too long or a closed folder.
 */
function statsOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}

/** Checks a variable with the schema of its setting. An error does not repeat the value, which may be a secret. */
function checked(
  label: string,
  schema: {
    safeParse(value: unknown): {
      success: boolean;
      data?: string | undefined;
      error?: { issues: { message: string }[] };
    };
  },
  value: string | undefined,
  faults: string[],
): string | undefined {
  if (value === undefined) return undefined;
  const result = schema.safeParse(value);
  if (!result.success)
    faults.push(`${label} in the environment cannot be used; it takes ${result.error?.issues[0]?.message}`);
  return result.data;
}

/**
 * Merges, with later values winning: the variables that the file itself set, `env`, `env_<name>`, PORT and HOST of the
 * environment of `start`, and `--port`. Workers inherit the other variables of that environment, and `env` wins over
 * them, as in PM2.
 */
function environmentOf(
  app: ParsedApp,
  given: Overrides,
  fromProcess: (name: string) => string | undefined,
  warnings: string[],
): Record<string, string> {
  const env: Record<string, string> = {};
  Object.assign(env, given.setByFile, app.env);
  if (app.port !== undefined) env['PORT'] = String(app.port);
  const chosen = pm2Settings.env.kind.safeParse(given.environment);
  if (chosen.success) Object.assign(env, chosen.data);
  for (const variable of ['PORT', 'HOST']) {
    const value = fromProcess(variable);
    if (value === undefined || value === env[variable]) continue;
    // One port for several apps would make them collide.
    if ((given.several || given.launched) && env[variable] !== undefined) {
      // The launcher has already printed this warning.
      if (given.launched) continue;
      warnings.push(
        `${appName(app)}: ${variable}=${env[variable]} of the file is used, not ${variable}=${value} of the environment, since several apps are started`,
      );
    } else env[variable] = value;
  }
  if (given.port !== undefined) env['PORT'] = String(given.port);
  return env;
}

function dataDirOf(
  name: string,
  inFile: string | undefined,
  { folder, flagFolder, several, processEnv, dataDir: flag }: Overrides,
  { faults, warnings }: { readonly faults: string[]; readonly warnings: string[] },
): string {
  const outside = flag ?? (processEnv['QUIESCE_DATA_DIR'] || undefined);
  if (outside !== undefined) return path.resolve(flagFolder, outside, several ? folderName(name) : '.');
  if (inFile !== undefined) return path.resolve(folder, inFile);
  const { dataDir, kind } = dataPlace(name, folder, processEnv);
  if (kind === 'none') {
    const why = `${name}: no folder for state can be written to (XDG_STATE_HOME, or .local/state in the home of this user)`;
    // The next release would find neither the lock nor an unfinished run.
    if (isSwitched(folder)) faults.push(`${why}, and ${folder} is another one with each release: set QUIESCE_DATA_DIR`);
    else
      warnings.push(`${why}, so the data directory is ${dataDir}; where deployments replace it, set QUIESCE_DATA_DIR`);
  } else if (kind === 'beside' && isSwitched(folder)) {
    warnings.push(
      `${name}: the data directory ${dataDir} is left behind by the next release: remove it while the app is stopped, and one outside is used`,
    );
  }
  return dataDir;
}
