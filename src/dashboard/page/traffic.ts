/** What the plot of requests shows: columns for uPlot, and the bands of pauses. Pure. */
import type { PauseRecord, Sample } from '#quiesce/protocol/live.js';

export interface Columns {
  /** Seconds since 1970. */
  readonly times: number[];
  readonly served: (number | null)[];
  readonly refused: (number | null)[];
}

/** A gap of more than this many seconds is shown as one: nobody knows what was then. */
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

/** The pauses that touch the time from `start` to `end`, as [from, to] in seconds. */
export function bandsOf(pauses: readonly PauseRecord[], start: number, end: number): [number, number][] {
  return pauses.flatMap(({ from, to }): [number, number][] => {
    const begin = Date.parse(from) / 1_000;
    const over = to === undefined ? end : Date.parse(to) / 1_000;
    return over < start || begin > end ? [] : [[Math.max(begin, start), Math.min(over, end)]];
  });
}
