/** Selects the parts of a configuration that a worker gets, and the parts that may be shown. */
import type { AppConfig, WorkerSettings } from '../config.ts';
import { allSettings, type Found } from './schema.ts';

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

function valueAt(config: object, path: Found['codePath']): unknown {
  return path.reduce<unknown>((value, name) => (value as Tree | null)?.[name], config);
}

function put(tree: Tree, path: Found['codePath'], value: unknown): void {
  const [name, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) tree[name] = value;
  else put((tree[name] ??= {}) as Tree, rest, value);
}
