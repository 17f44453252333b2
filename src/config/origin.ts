/**
 * Where a configuration came from, so that it can be read again as it is now: the same file under the name that was
 * given, which a deployment may have switched since, with the flags and the environment of `start`.
 */
import { evaluateFresh } from './fresh-process.ts';
import { loadConfig, type LoadedConfig, type LoadOptions } from './load.ts';

export interface Origin {
  readonly file: string | undefined;
  readonly options: LoadOptions & Required<Pick<LoadOptions, 'folder'>>;
  /** The environment as `start` was given it: without what the file itself has set. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
}

/** @throws QuiesceError `bad-config`, `bad-usage`, as {@link loadConfig} */
export async function readAgain({ file, options, env, argv }: Origin): Promise<LoadedConfig> {
  const processEnv = { ...env };
  return loadConfig(file, {
    ...options,
    processEnv,
    evaluate: (path) => evaluateFresh(path, { env: processEnv, folder: options.folder, argv }),
  });
}

/**
 * What gives workers the environment of `start` where the file has changed that of the primary meanwhile: what the file
 * sets they get with `env`, as it says now.
 */
export function undoing(given: Origin['env'], now: Origin['env']): Record<string, string | undefined> {
  const names = Object.keys(now).filter((name) => now[name] !== given[name]);
  return Object.fromEntries(names.map((name) => [name, given[name]]));
}
