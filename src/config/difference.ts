/**
 * Compares two configurations of an app, setting by setting, and finds the changes that a running primary can apply.
 * A new primary that takes over from an old one can use this too. Pure.
 */
import type { AppConfig } from '../config.ts';
import { allSettings } from './settings/schema.ts';
import type { Change, Setting } from './settings/setting.ts';
import { put, valueAt } from './settings/told.ts';

export interface Difference {
  /** The name in the file, such as `max_memory_restart`, `env.COLOR` or `quiesce.sync.max_bytes`. */
  readonly name: string;
  readonly setting: Setting;
  /** The old value; undefined if it was not set. */
  readonly from: unknown;
  readonly to: unknown;
  readonly change: Change;
}

export function differencesBetween(old: AppConfig, next: AppConfig): Difference[] {
  return allSettings().flatMap(({ path, codePath, setting }): Difference[] => {
    // A short form was already applied to its full setting.
    if (setting.readBy.length === 0) return [];
    const name = path.join('.');
    const { change } = setting;
    const [from, to] = [valueAt(old, codePath) ?? undefined, valueAt(next, codePath) ?? undefined];
    if (name !== 'env') return isSame(from, to) ? [] : [{ name, setting, from, to, change }];
    const [before, after] = [old.env, next.env];
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter((variable) => before[variable] !== after[variable])
      .map((variable) => ({ name: `env.${variable}`, setting, from: before[variable], to: after[variable], change }));
  });
}

/**
 * Returns the new configuration, limited to the changes that a running primary can apply. The app's own MONGODB_URI
 * changes only together with the mirror's URI: until then, both use the old database. Otherwise the app would read a
 * different database from the one that the mirror writes.
 */
export function takenByRunning(old: AppConfig, next: AppConfig): AppConfig {
  const taken = structuredClone(next);
  for (const { codePath, setting } of allSettings())
    if (setting.change === 'new-primary') put(taken, codePath, valueAt(old, codePath) ?? null);
  if (old.mongodb.uri === next.mongodb.uri) return taken;
  const { MONGODB_URI: _later, ...env } = next.env;
  const before = old.env['MONGODB_URI'];
  return { ...taken, env: before === undefined ? env : { ...env, MONGODB_URI: before } };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
