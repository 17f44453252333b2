/** Reads a configuration file in any supported form and returns its list of apps, not validated yet. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultFiles, findDefaultFile } from './default-file.ts';
import { QuiesceError } from '../../errors.ts';
import { nearest } from './nearest.ts';

export interface RawConfig {
  /** The configuration file, or null if a script was given. */
  readonly file: string | null;
  /** The base of relative paths. */
  readonly folder: string;
  readonly apps: readonly unknown[];
  readonly warnings: readonly string[];
}

/** PM2's rule: the name shows whether a file is a configuration, since reading a script would run it. */
export function isConfigFile(file: string): boolean {
  return /\.json$|\.config\.[cm]?[jt]s$/.test(file);
}

/** Resolves with the exports of a file. */
export type Evaluate = (file: string) => Promise<unknown>;

/**
 * @param load evaluates JavaScript and TypeScript; default: in this process, which keeps the first result in its cache
 */
export async function readConfigFile(
  given: string | undefined,
  folder: string,
  load: Evaluate = (file) => import(pathToFileURL(file).href),
): Promise<RawConfig> {
  const file = given === undefined ? findDefaultFile(folder) : path.resolve(folder, given);
  if (file === undefined) {
    throw new QuiesceError(
      'bad-config',
      `There is no ${defaultFiles[0]} in ${folder}. Name a configuration or a script: quiesce start app.js`,
    );
  }
  if (/\.ya?ml$/.test(file)) {
    throw new QuiesceError(
      'bad-config',
      `${file}: YAML is not read; write the same as an ecosystem.config.js or .json.`,
    );
  }
  const found = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new QuiesceError('bad-config', `${file} cannot be read: ${why}.`, { cause });
  });
  if (!found.isFile()) throw new QuiesceError('bad-config', `${file} is not a file; name a configuration or a script.`);
  if (!isConfigFile(file)) return { file: null, folder, apps: [{ script: file }], warnings: [] };
  return { file, folder: path.dirname(file), ...appsOf(await evaluate(file, load), file) };
}

async function evaluate(file: string, load: Evaluate): Promise<unknown> {
  try {
    if (file.endsWith('.json')) return JSON.parse(await readFile(file, 'utf8'));
    return await load(file);
  } catch (cause) {
    if (cause instanceof QuiesceError) throw cause;
    throw new QuiesceError('bad-config', `${file} cannot be loaded: ${reason(cause, file)}`, { cause });
  }
}

function reason(error: unknown, file: string): string {
  if (!(error instanceof Error)) return String(error);
  if (/(module|exports|require) is not defined/.test(error.message)) {
    return `${error.message}. The file is an ES module: write \`export const apps = […]\`, or rename it to .cjs.`;
  }
  // The stack of a syntax error starts with `file:line`; other stacks have the place in their frames.
  const place = error.stack?.match(new RegExp(`${escapeRegExp(file)}:(\\d+)`))?.[1];
  return place === undefined ? error.message : `${error.message} (line ${place})`;
}

function escapeRegExp(value: string): string {
  return value.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Accepts `{apps: […]}`, a named or default export of it, PM2's `{pm2: …}`, a list of apps, or a single app. */
function appsOf(exported: unknown, file: string): Pick<RawConfig, 'apps' | 'warnings'> {
  // The namespace of a CommonJS module has `exports` as its default, and sometimes the members of `exports` as well.
  const root = isObject(exported) && !('apps' in exported) && 'default' in exported ? exported['default'] : exported;
  const holder = isObject(root) && !('apps' in root) && 'pm2' in root ? root['pm2'] : root;
  if (Array.isArray(holder)) return { apps: notEmpty(holder, file), warnings: [] };
  if (isObject(holder) && 'apps' in holder) {
    const apps = Array.isArray(holder['apps']) ? holder['apps'] : [holder['apps']];
    return { apps: notEmpty(apps, file), warnings: otherKeys(holder) };
  }
  if (isObject(holder) && ('script' in holder || 'exec' in holder || 'cmd' in holder))
    return { apps: [holder], warnings: [] };
  throw new QuiesceError(
    'bad-config',
    `${file} describes no app: it has to export \`apps\`, a list of objects with a \`script\`.`,
  );
}

function notEmpty(apps: unknown[], file: string): unknown[] {
  if (apps.length === 0) throw new QuiesceError('bad-config', `${file}: its list of apps is empty; nothing to run.`);
  return apps;
}

function otherKeys(root: Record<string, unknown>): string[] {
  const ignored = Object.keys(root).filter(
    (key) => key !== 'apps' && key !== 'default' && key !== 'module.exports' && key !== '__esModule',
  );
  return ignored.map((key) => {
    if (key === 'deploy') return 'deploy is not supported: deploy as you like, then run `quiesce reload`';
    const guess = nearest(key, ['apps', 'deploy']);
    return `${key} is not known at the top of the file and is ignored${guess === undefined ? '' : `; did you mean ${guess}?`}`;
  });
}
