/** Sorts the fields of an app as a user wrote them: known, environments, unsupported fields of PM2, unknown. */
import { nearest, snakeCase } from './nearest.ts';
import { aliases, unsupported } from '../settings/pm2-fields.ts';
import { settings } from '../settings/schema.ts';

/** A fault; `path` is its place, such as `quiesce.sync.max_bytes`. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

export interface SortedApp {
  /** The known fields, by their main names. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The values of `env_<name>`, by name. */
  readonly environments: ReadonlyMap<string, unknown>;
  readonly warnings: readonly string[];
  readonly faults: readonly Fault[];
}

const known = new Set([...Object.keys(settings), ...Object.keys(unsupported)]);

function mainName(name: string): string | undefined {
  if (known.has(name)) return name;
  if (Object.hasOwn(aliases, name)) return aliases[name];
  const snake = snakeCase(name);
  return known.has(snake) ? snake : undefined;
}

export function unknownField(name: string, candidates: Iterable<string>): string {
  const guess = nearest(name, candidates);
  return `is not a setting of PM2 or quiesce; ${guess === undefined ? 'remove it' : `did you mean ${guess}?`}`;
}

export function sortFields(app: Readonly<Record<string, unknown>>): SortedApp {
  const fields: Record<string, unknown> = {};
  const environments = new Map<string, unknown>();
  const warnings: string[] = [];
  const faults: Fault[] = [];
  for (const [name, value] of Object.entries(app)) {
    if (value === undefined) continue;
    const environment = /^env_(.+)$/.exec(name)?.[1];
    const main = mainName(name);
    if (main === undefined && environment !== undefined) {
      if (!settings.env.kind.safeParse(value).success)
        faults.push({ path: name, message: 'cannot be what it is (not shown); it takes an object of variables' });
      environments.set(environment, value);
    } else if (main === undefined) {
      faults.push({ path: name, message: unknownField(name, known) });
    } else if (Object.hasOwn(unsupported, main)) {
      const { harmless, instead, refused } = unsupported[main]!;
      if (harmless.includes(value)) continue;
      if (refused) faults.push({ path: name, message: `is not supported: ${instead}` });
      else warnings.push(`${name} is not supported: ${instead}`);
    } else if (value !== null && !Object.hasOwn(fields, main)) {
      fields[main] = value;
    }
  }
  return { fields, environments, warnings, faults };
}
