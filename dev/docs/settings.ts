/** What the declarations say of each setting, in words. */
import { allSettings } from '#quiesce/config/settings/schema.js';
import { allowedWords } from '#quiesce/config/values/kinds.js';
import { atStart, required } from '#quiesce/config/settings/setting.js';

export interface Setting {
  /** Such as `quiesce.sync.key`. */
  readonly path: string;
  /** What it takes, in words. */
  readonly takes: string;
  /** As a user would write it; null where there is none. */
  readonly default: string | null;
  readonly description: string;
}

export function settings(): Setting[] {
  return allSettings().map(({ path, setting }) => ({
    path: path.join('.'),
    takes: allowedWords.get(setting.kind)!.allowed,
    default: inWords(setting.default),
    description: setting.docs,
  }));
}

export function inWords(value: unknown): string | null {
  if (value === null || value === atStart || value === required) return null;
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
