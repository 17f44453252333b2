/**
 * Remembers the origin of a configuration, so that it can be read again: the file by the name that was given, which may
 * point to a new release after a deployment, and the flags and the environment of `start`.
 */
import { evaluateFresh } from './file/fresh-process.ts';
import { loadConfig, type LoadedConfig, type LoadOptions } from './load.ts';

export interface Origin {
  readonly file: string | undefined;
  readonly options: LoadOptions & Required<Pick<LoadOptions, 'folder'>>;
  /** The environment that `start` got, without the variables that the file itself has set. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
}

/** Reads the configuration again. @throws QuiesceError `bad-config`, `bad-usage`, as {@link loadConfig} */
export async function readAgain({ file, options, env, argv }: Origin): Promise<LoadedConfig> {
  const processEnv = { ...env };
  return loadConfig(file, {
    ...options,
    processEnv,
    evaluate: (path) => evaluateFresh(path, { env: processEnv, folder: options.folder, argv }),
  });
}

/**
 * Returns the variables that undo the changes that the file made in the primary's environment. So workers get the
 * environment of `start`; the current values that the file sets reach them with `env`.
 */
export function undoing(given: Origin['env'], now: Origin['env']): Record<string, string | undefined> {
  const names = Object.keys(now).filter((name) => now[name] !== given[name]);
  return Object.fromEntries(names.map((name) => [name, given[name]]));
}
