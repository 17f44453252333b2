/** Reads the query of a `PUT /api/sync`. Parses only the query string: a path such as `//` is no URL. */
import { QuiesceError } from '../../errors.ts';
import { isPointer, itemsWords } from '../../protocol/feed/json-pointer.ts';
import { maxDeletesWords, parseMaxDeletes, type MaxDeletes } from '../../protocol/feed/max-deletes.ts';

export interface SyncQuery {
  readonly dryRun: boolean;
  /** Replaces the setting; null if it is not given. */
  readonly maxDeletes: MaxDeletes | null;
  /** Replaces the option for the place of the array of items; null if it is not given. */
  readonly items: string | null;
}

/** @throws QuiesceError `bad-request`: if a misspelt value were ignored, the run would write something unintended */
export function readSyncQuery(url: string | undefined): SyncQuery {
  const dryRun = dryRunOf(url);
  if (dryRun === null) throw new QuiesceError('bad-request', 'dryRun must be given once, as true or false.');
  return { dryRun, maxDeletes: maxDeletesOf(url), items: itemsOf(url) };
}

/** Null if the value is neither `true` nor `false`, or is given more than once. */
export function dryRunOf(url: string | undefined): boolean | null {
  const [value = 'false', ...more] = valuesOf(url, 'dryRun');
  return more.length > 0 || (value !== 'true' && value !== 'false') ? null : value === 'true';
}

function maxDeletesOf(url: string | undefined): MaxDeletes | null {
  const [value, ...more] = valuesOf(url, 'maxDeletes');
  if (value === undefined) return null;
  const parsed = more.length > 0 ? undefined : parseMaxDeletes(value);
  if (parsed === undefined)
    throw new QuiesceError('bad-request', `maxDeletes must be given once, as ${maxDeletesWords}.`);
  return parsed;
}

function itemsOf(url: string | undefined): string | null {
  const [value, ...more] = valuesOf(url, 'items');
  if (value === undefined) return null;
  if (more.length > 0 || !isPointer(value))
    throw new QuiesceError('bad-request', `items must be given once, as ${itemsWords}.`);
  return value;
}

function valuesOf(url = '', name: string): string[] {
  const query = url.indexOf('?');
  return query === -1 ? [] : new URLSearchParams(url.slice(query)).getAll(name);
}
