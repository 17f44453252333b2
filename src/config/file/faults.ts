/** Turns the issues of a schema into sentences: field, value, allowed values. */
import type * as z from '../../vendor/zod.ts';
import { QuiesceError } from '../../errors.ts';
import { unknownField, type Fault } from './names.ts';
import { namesIn, settingAt } from '../settings/schema.ts';
import { valueAt } from '../settings/told.ts';

function shown(path: readonly PropertyKey[], value: unknown): string {
  if (settingAt(path)?.shown) return 'what it is (not shown)';
  const json = typeof value === 'function' ? 'a function' : JSON.stringify(value);
  return json === undefined ? String(value) : json.length > 60 ? `${json.slice(0, 57)}…` : json;
}

export function faultsOf(error: z.ZodError, input: unknown): Fault[] {
  return error.issues.flatMap((issue): Fault[] => issueFaults(issue, input));
}

function issueFaults(issue: z.core.$ZodIssue, input: unknown): Fault[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: path === '' ? key : `${path}.${key}`,
      message: unknownField(key, namesIn(issue.path)),
    }));
  }
  if (issue.code === 'invalid_union') {
    // The only unions are `false` or a section: the user needs the issues of the section.
    const section = issue.errors.at(-1) ?? [];
    const nested = section.filter((inner) => inner.code !== 'invalid_type' || inner.path.length > 0);
    if (nested.length > 0)
      return nested.flatMap((inner) => issueFaults({ ...inner, path: [...issue.path, ...inner.path] }, input));
  }
  const value = valueAt(input, issue.path);
  if (value === undefined) return [{ path, message: `is missing; it takes ${allowed(issue)}` }];
  return [{ path, message: `cannot be ${shown(issue.path, value)}; it takes ${allowed(issue)}` }];
}

function allowed(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom') return issue.message ?? 'something else';
  if (issue.code === 'invalid_union') return 'false, or an object of settings';
  return issue.code === 'invalid_type' && issue.expected === 'object'
    ? 'an object of settings'
    : (issue.message ?? 'something else');
}

/** Puts all faults into one error, so that a user can correct the file in one step. */
export function configError(file: string, faults: readonly string[], warnings: readonly string[]): QuiesceError {
  const count = faults.length === 1 ? 'is wrong' : `is wrong in ${faults.length} places`;
  const lines = [`${file} ${count}:`, ...faults.map((fault) => `  ${fault}`)];
  if (warnings.length > 0) lines.push('and these have no effect:', ...warnings.map((warning) => `  ${warning}`));
  return new QuiesceError('bad-config', lines.join('\n'));
}
