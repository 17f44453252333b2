/**
 * Combines a configuration file, the environment and the flags of `start` into one validated configuration for each
 * app. If several of them set a value, a flag wins over an environment variable, and the variable wins over the file.
 */
import { logLevelOf, logLevels } from './values/log-level.ts';
import { appName, workingFolder } from './data-place.ts';
import { configError, faultsOf } from './file/faults.ts';
import { sortFields, type SortedApp } from './file/names.ts';
import { readConfigFile, type Evaluate, type RawConfig } from './file/read-file.ts';
import { resolveApp, type Overrides } from './resolve.ts';
import { appSchema, type ParsedApp } from './settings/schema.ts';
import { instances as instancesKind, integer } from './values/kinds.ts';
import type { AppConfig } from '../config.ts';
import { QuiesceError } from '../errors.ts';

export interface LoadOptions {
  /** Load only the app with this name. */
  readonly only?: string;
  /** Adds the variables of `env_<envName>`. */
  readonly envName?: string;
  /** `'max'`, 0, n or -n, as in the file. */
  readonly instances?: string | number;
  readonly port?: string | number;
  readonly adminPort?: string | number;
  /** With several apps, the folder that contains one folder for each. */
  readonly dataDir?: string;
  /** Default `process.env`. */
  readonly processEnv?: Readonly<Record<string, string | undefined>>;
  /** The base of relative paths in flags; default the working directory, with the name that the shell uses. */
  readonly folder?: string;
  /** How the file is evaluated; default in this process. */
  readonly evaluate?: Evaluate;
  /** In place of a file: apps as in its list. */
  readonly apps?: readonly unknown[];
  /** The app is one of several that are started together, chosen with `only`. */
  readonly launched?: boolean;
}

export interface LoadedConfig {
  /** The configuration file, or null if a script was given. */
  readonly file: string | null;
  readonly apps: readonly AppConfig[];
  /** Messages about settings without effect, to show at start. */
  readonly warnings: readonly string[];
}

/**
 * @param file an ecosystem configuration or a script; default `ecosystem.config.js` (.mjs, .cjs, .json) in `folder`.
 * @throws QuiesceError `bad-config`, naming everything that is wrong at once; `bad-usage` for a flag.
 */
export async function loadConfig(file: string | undefined, options: LoadOptions = {}): Promise<LoadedConfig> {
  const folder = options.folder ?? workingFolder();
  const flags = checkFlags(options);
  const before = { ...flags.processEnv };
  const raw: RawConfig =
    options.apps === undefined
      ? await readConfigFile(file, folder, options.evaluate)
      : { file: null, folder, apps: options.apps, warnings: [] };
  // A file may set variables, as dotenv does.
  const setByFile = Object.entries(flags.processEnv).filter(([name, value]) => before[name] !== value);
  const where = raw.file ?? file ?? (options.apps === undefined ? folder : 'the app');

  const apps: { parsed: ParsedApp; sorted: SortedApp; index: number }[] = [];
  const faults: string[] = [];
  const warnings = [...raw.warnings];
  const environments = new Set<string>();
  for (const [index, input] of raw.apps.entries()) {
    const label = labelOf(input, index, raw.apps.length);
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      faults.push(`${label}has to be an object with a \`script\``);
      continue;
    }
    const sorted = sortFields(input as Record<string, unknown>);
    for (const name of sorted.environments.keys()) environments.add(name);
    warnings.push(...sorted.warnings.map((warning) => label + warning));
    const result = appSchema.safeParse(sorted.fields);
    const found = [...sorted.faults, ...(result.success ? [] : faultsOf(result.error, sorted.fields))];
    faults.push(...found.map(({ path, message }) => `${label}${path} ${message}`));
    if (result.success) apps.push({ parsed: result.data, sorted, index });
  }
  if (faults.length > 0) throw configError(where, faults, warnings);

  const chosen = apps.filter(({ parsed }) => options.only === undefined || appName(parsed) === options.only);
  if (chosen.length === 0) {
    const names = apps.map(({ parsed }) => appName(parsed)).join(', ');
    throw new QuiesceError('bad-usage', `--only ${options.only}: ${where} has no app of that name; it has ${names}.`);
  }
  if (options.envName !== undefined && !environments.has(options.envName)) {
    const names = [...environments].map((name) => `env_${name}`).join(', ') || 'none';
    throw new QuiesceError(
      'bad-usage',
      `--env ${options.envName}: ${where} has no env_${options.envName}; it has ${names}.`,
    );
  }
  if (chosen.length > 1 && flags.port !== undefined) {
    throw new QuiesceError('bad-usage', `--port is for one app; choose it with --only.`);
  }
  if (chosen.length > 1 && flags.adminPort !== undefined) {
    throw new QuiesceError('bad-usage', `--admin-port is for one app; choose it with --only.`);
  }

  const resolved = chosen.map(({ parsed, sorted, index }) =>
    resolveApp(parsed, {
      ...flags,
      folder: raw.folder,
      index,
      environment: sorted.environments.get(options.envName ?? ''),
      several: chosen.length > 1,
      launched: options.launched === true,
      setByFile: Object.fromEntries(setByFile),
    }),
  );
  const wrong = [...resolved.flatMap(({ faults: own }) => own), ...clashes(resolved.map(({ config }) => config))];
  warnings.push(...resolved.flatMap(({ warnings: own }) => own));
  if (wrong.length > 0) throw configError(where, wrong, warnings);
  return { file: raw.file, apps: resolved.map(({ config }) => config), warnings };
}

function checkFlags(
  options: LoadOptions,
): Omit<Overrides, 'folder' | 'index' | 'environment' | 'several' | 'launched' | 'setByFile'> {
  const check = <T>(
    flag: string,
    schema: { safeParse(value: unknown): { success: boolean; data?: T; error?: { issues: { message: string }[] } } },
    value: unknown,
  ): T | undefined => {
    if (value === undefined) return undefined;
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    throw new QuiesceError(
      'bad-usage',
      `${flag} cannot be ${JSON.stringify(value)}; it takes ${result.error?.issues[0]?.message}.`,
    );
  };
  const processEnv = options.processEnv ?? process.env;
  const level = processEnv['LOG_LEVEL'];
  if (level && logLevelOf(processEnv) === undefined)
    throw new QuiesceError(
      'bad-usage',
      `LOG_LEVEL cannot be ${JSON.stringify(level)}; it takes ${logLevels.join(', ')}.`,
    );
  if (options.dataDir === '') throw new QuiesceError('bad-usage', '--data-dir is empty; it takes a folder.');
  return {
    instances: check('--instances', instancesKind, options.instances),
    port: check('--port', integer(0, 65535), options.port),
    adminPort: check('--admin-port', integer(0, 65535), options.adminPort),
    dataDir: options.dataDir,
    processEnv,
    flagFolder: options.folder ?? workingFolder(),
  };
}

function labelOf(input: unknown, index: number, total: number): string {
  if (total === 1) return '';
  const name = typeof input === 'object' && input !== null && 'name' in input ? input.name : undefined;
  return typeof name === 'string' ? `${name}: ` : `apps[${index}]: `;
}

function clashes(configs: readonly AppConfig[]): string[] {
  const seen = new Map<string, string>();
  const faults: string[] = [];
  for (const { name, dataDir } of configs) {
    const other = seen.get(dataDir);
    if (other === name) faults.push(`two apps are called ${name}: give each its own name`);
    else if (other !== undefined)
      faults.push(`${name}: quiesce.data_dir is that of ${other} too (${dataDir}); each app needs its own`);
    seen.set(dataDir, name);
  }
  return faults;
}
