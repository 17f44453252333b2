/** Computes the data of the request plot: columns for uPlot, and the bands of pauses. Pure. */
import type { PauseRecord, Sample } from '#quiesce/protocol/api/live.js';

export interface Columns {
  /** Seconds since 1970. */
  readonly times: number[];
  readonly served: (number | null)[];
  readonly refused: (number | null)[];
}

/** The plot shows a gap if samples are more than this many seconds apart: there is no data between them. */
const longestStep = 3;

export function columnsOf(samples: readonly Sample[]): Columns {
  const columns: Columns = { times: [], served: [], refused: [] };
  let before = Number.NaN;
  for (const { at, served, refused } of samples) {
    const time = Date.parse(at) / 1_000;
    if (time - before > longestStep) {
      columns.times.push(before + 1);
      columns.served.push(null);
      columns.refused.push(null);
    }
    columns.times.push(time);
    columns.served.push(served);
    columns.refused.push(refused);
    before = time;
  }
  return columns;
}

/** Returns the pauses that overlap the time from `start` to `end`, as [from, to] in seconds. */
export function bandsOf(pauses: readonly PauseRecord[], start: number, end: number): [number, number][] {
  return pauses.flatMap(({ from, to }): [number, number][] => {
    const begin = Date.parse(from) / 1_000;
    const over = to === undefined ? end : Date.parse(to) / 1_000;
    return over < start || begin > end ? [] : [[Math.max(begin, start), Math.min(over, end)]];
  });
}
