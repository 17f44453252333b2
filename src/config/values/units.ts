/** Parses times, sizes and numbers of workers that people write, so that `10s` means the same everywhere. */
import { createRequire } from 'node:module';
import type ms from 'ms';
import type { StringValue } from 'ms';

export const durationWords = "milliseconds, or a time such as '500ms', '10s', '5m', '1h'";
export const deadlineWords = "milliseconds above 0, or a time such as '500ms', '10s', '5m', '1h'";

/** The longest time of setTimeout, which fires at once for longer times (2^31 - 1 ms, 24.8 days). */
export const longestTimer: number = 2 ** 31 - 1;

/**
 * Returns the ms of `500`, `'500'`, `'10s'`, `'1.5h'`; undefined for other forms and for times too long for setTimeout.
 */
export function parseDuration(value: unknown): number | undefined {
  const isText = typeof value === 'string' && /^(?:\d+(?:\.\d+)?|\.\d+) ?[a-z]*$/i.test(value);
  const parsed = isText ? read(value as StringValue) : value;
  if (typeof parsed !== 'number' || !Number.isFinite(parsed) || parsed < 0 || parsed > longestTimer) return undefined;
  return Math.round(parsed);
}

/** Loaded here: every worker would load it for nothing. */
function read(text: StringValue): number {
  return (createRequire(import.meta.url)('ms') as typeof ms)(text);
}

/** The same, but undefined for 0 as well: of an interval or a deadline. */
export function aboveZero(value: unknown): number | undefined {
  const parsed = parseDuration(value);
  return parsed === 0 ? undefined : parsed;
}

const sizeUnits = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;

/** Returns the bytes of `1048576`, `'512M'`, `'1.5GB'`; units are powers of 1024, as in PM2. */
export function parseSize(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? value : undefined;
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?|\.\d+) ?([KMGT]?)(?:i?B)?$/i.exec(value) : null;
  if (match?.[1] === undefined) return undefined;
  const unit = (match[2] ?? '').toUpperCase() as keyof typeof sizeUnits;
  return parseSize(Math.round(Number(match[1]) * sizeUnits[unit]));
}

/** Returns the number of workers for `instances` on a machine with `cores` cores; at least 1, as in PM2. */
export function workersFor(wanted: number, cores: number): number {
  if (wanted > 0) return wanted;
  return Math.max(1, cores + wanted);
}
