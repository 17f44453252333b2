/** What of the page stands in its address, so that a link shows somebody else the same, and Back works. Pure. */

export const logLevels = ['all', 'warnings', 'errors'] as const;

/** Which lines of the log are shown. */
export interface LogFilter {
  readonly level: (typeof logLevels)[number];
  /** `all`, `supervisor`, or a slot: the worker's own lines, and what the supervisor says of it. */
  readonly from: string;
  /** A line must have each of its words. */
  readonly text: string;
}

export interface Address {
  /** The ids of the runs whose reports are open. */
  readonly runs: readonly string[];
  /** The slots whose details are open. */
  readonly workers: readonly number[];
  /** How far back the pauses go. Null: as far as `at` needs. */
  readonly range: Range | null;
  /** The time that is marked in the pauses and in the log; epoch ms. */
  readonly at: number | null;
  readonly log: LogFilter;
}

/** Of the pauses, ms. */
export const ranges = { '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000 } as const;
export type Range = keyof typeof ranges;

export const home: Address = {
  runs: [],
  workers: [],
  range: null,
  at: null,
  log: { level: 'all', from: 'all', text: '' },
};

/** A link may have been cut or written by hand: what makes no sense is left out. @param search such as `?run=a&level=errors` */
export function parseAddress(search: string): Address {
  const query = new URLSearchParams(search);
  const range = query.get('range');
  const time = Date.parse(query.get('at') ?? '');
  const level = logLevels.find((each) => each === query.get('level')) ?? home.log.level;
  const from = query.get('from') ?? '';
  return {
    runs: unique(query.getAll('run').filter((id) => id !== '')),
    workers: unique(query.getAll('worker').filter(isSlot).map(Number)),
    range: range !== null && Object.hasOwn(ranges, range) ? (range as Range) : null,
    at: Number.isNaN(time) ? null : time,
    log: {
      level,
      from: from === 'supervisor' || isSlot(from) ? from : home.log.from,
      text: (query.get('text') ?? '').slice(0, 200),
    },
  };
}

/** The path of the page at this address. What is as usual is left out. */
export function formatAddress({ runs, workers, range, at, log }: Address): string {
  const query = new URLSearchParams([
    ...runs.map((id) => ['run', id]),
    ...workers.map((slot) => ['worker', String(slot)]),
  ]);
  if (range !== null) query.set('range', range);
  if (at !== null) query.set('at', new Date(at).toISOString());
  for (const name of ['level', 'from', 'text'] as const) if (log[name] !== home.log[name]) query.set(name, log[name]);
  return query.size === 0 ? '/' : `/?${query}`;
}

/** With this one where it was missing, without it where it was there. */
export function toggled<T>(list: readonly T[], item: T): T[] {
  return list.includes(item) ? list.filter((each) => each !== item) : [...list, item];
}

/** The pauses go back by a day, or as far as the marked time needs. */
export function rangeOf({ range, at }: Pick<Address, 'range' | 'at'>, now: number): Range {
  if (range !== null) return range;
  return at === null || now - at <= ranges['24h'] ? '24h' : '7d';
}

function isSlot(text: string): boolean {
  return /^\d{1,4}$/.test(text);
}

function unique<T>(list: readonly T[]): T[] {
  return [...new Set(list)];
}
