/** Makes ids of runs: they sort by time, fit in a file name and a URL, and no two primaries make the same one. */
import { randomBytes } from 'node:crypto';

/** For example `20261122t031500123-9f3a61`. */
export function newRunId(now: Date): string {
  const time = now
    .toISOString()
    .replace(/[-:.Z]/g, '')
    .toLowerCase();
  return `${time}-${randomBytes(3).toString('hex')}`;
}
