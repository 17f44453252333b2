/** What a time, a size and a number of workers look like where people write them, so that `10s` means the same everywhere. */
import ms, { type StringValue } from 'ms';

/** Longer than this, setTimeout fires at once (2^31 - 1 ms, 24.8 days). */
export const longestTimer: number = 2 ** 31 - 1;

/** Milliseconds of `500`, `'500'`, `'10s'`, `'1.5h'`; undefined where it is none of these, or not a number setTimeout can hold. */
export function parseDuration(value: unknown): number | undefined {
  const parsed =
    typeof value === 'string' && /^(?:\d+(?:\.\d+)?|\.\d+) ?[a-z]*$/i.test(value) ? ms(value as StringValue) : value;
  if (typeof parsed !== 'number' || !Number.isFinite(parsed) || parsed < 0 || parsed > longestTimer) return undefined;
  return Math.round(parsed);
}

const sizeUnits = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;

/** Bytes of `1048576`, `'512M'`, `'1.5GB'`; units are powers of 1024, as PM2 has them. */
export function parseSize(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? value : undefined;
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?|\.\d+) ?([KMGT]?)(?:i?B)?$/i.exec(value) : null;
  if (match?.[1] === undefined) return undefined;
  const unit = (match[2] ?? '').toUpperCase() as keyof typeof sizeUnits;
  return parseSize(Math.round(Number(match[1]) * sizeUnits[unit]));
}

/** How many workers `instances` means on a machine with so many cores; at least 1, as in PM2. */
export function workersFor(wanted: number, cores: number): number {
  if (wanted > 0) return wanted;
  return Math.max(1, cores + wanted);
}
