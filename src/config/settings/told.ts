/** Selects the parts of a configuration that a worker gets, and the parts that may be shown. */
import type { AppConfig, WorkerSettings } from '../../config.ts';
import { allSettings } from './schema.ts';

type Tree = Record<string, unknown>;

type ToldToWorkers = Omit<WorkerSettings, 'spoolDir'>;

/** Returns the settings that workers read. */
export function toldToWorkers(config: Pick<AppConfig, keyof ToldToWorkers>): ToldToWorkers {
  const told: Tree = {};
  for (const { codePath, setting } of allSettings()) {
    if (setting.readBy.includes('worker')) put(told, codePath, valueAt(config, codePath));
  }
  return told as unknown as ToldToWorkers;
}

/** Returns the parts that may be shown: the names of variables without values, and no credentials. */
export function withoutSecrets(config: AppConfig): unknown {
  const shown = structuredClone(config) as unknown as Tree;
  for (const { codePath, setting } of allSettings()) {
    const value = valueAt(config, codePath);
    if (setting.shown !== null && value !== null && value !== undefined)
      put(shown, codePath, setting.shown(value as never));
  }
  return shown;
}

/** Undefined if something on the way is not there. */
export function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (value as Record<PropertyKey, unknown> | null | undefined)?.[name],
    tree,
  );
}

/** Makes the sections on the way that are not there. */
export function put(tree: object, [name, ...rest]: readonly string[], value: unknown): void {
  const section = tree as Tree;
  if (rest.length === 0) section[name!] = value;
  else put((section[name!] ??= {}), rest, value);
}
