/** Makes ids of runs: they sort by time, fit in a file name and a URL, and no two primaries make the same one. */
import { randomBytes } from 'node:crypto';

const timeOfId = /^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)(\d{3})-/;

/**
 * For example `20261122t031500123-9f3a61`.
 *
 * A clock can be set back, and the history is in the order of the ids. So the id sorts after that of `newest`: while
 * the clock is behind it, the id holds the next millisecond after it, as in ULID's monotonic factory.
 */
export function newRunId(now: Date, newest: string | null): string {
  const id = idAt(now.getTime());
  const last = newest === null || newest < id ? null : timeIn(newest);
  return last === null ? id : idAt(last + 1);
}

function idAt(time: number): string {
  const digits = new Date(time)
    .toISOString()
    .replace(/[-:.Z]/g, '')
    .toLowerCase();
  return `${digits}-${randomBytes(3).toString('hex')}`;
}

function timeIn(id: string): number | null {
  const [, year, month, day, ...time] = timeOfId.exec(id)?.map(Number) ?? [];
  return year === undefined ? null : Date.UTC(year, month! - 1, day, ...(time as [number, number, number, number]));
}
