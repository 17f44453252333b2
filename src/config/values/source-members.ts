/**
 * The members of a source of feeds: what is allowed, and how it is read. Without zod, which a worker does not load: it
 * reads the `source` of `mirror()`.
 */
import { isCondition, isHeader, isTransferHeader } from '../../protocol/feed/sent-headers.ts';
import { isCronPattern } from './cron-pattern.ts';
import { aboveZero, deadlineWords, durationWords, parseDuration } from './units.ts';

export const feedFormats = ['json', 'ndjson', 'csv'] as const;
export type FetchedFormat = (typeof feedFormats)[number];

export interface FeedSourceSettings {
  /** May have a user and a password, which are sent and never shown. */
  readonly url: string;
  readonly cron: string;
  /** Null: the time zone of the machine. */
  readonly timezone: string | null;
  /** The longest random delay after each time, ms. */
  readonly jitter: number;
  readonly headers: Readonly<Record<string, string>>;
  /** How long fetching may take, ms. */
  readonly timeout: number;
  /** Null: what the answer says. */
  readonly format: FetchedFormat | null;
  /** The collection of the mirror that takes it. Null: the app has one mirror. */
  readonly collection: string | null;
  /** Only of a source that the app gives to `mirror()`: the scope of that mirror, null if it has none. */
  readonly scope?: Readonly<Record<string, unknown>> | null;
}

/** The words for what is allowed, and a function that returns undefined for what is not. */
type Member<T> = readonly [words: string, parse: (value: unknown) => T | undefined];

const isHttp = (value: unknown): value is string =>
  typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

const url: Member<string> = [
  'an address that begins with http:// or https://',
  (value) => (isHttp(value) ? value : undefined),
];

const cron: Member<string> = [
  "a cron pattern such as '0 3 * * *'",
  (value) => (typeof value === 'string' && isCronPattern(value) ? value : undefined),
];

const timezone: Member<string> = [
  "the name of a time zone, such as 'Europe/Berlin'",
  (value) => (typeof value === 'string' && isCronPattern('0 0 * * *', value) ? value : undefined),
];

const headers: Member<Readonly<Record<string, string>>> = [
  'headers by name, none of which controls the transfer itself, or asks for a part or a change of the feed',
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const given = Object.entries(value as Readonly<Record<string, unknown>>);
    const isGood = ([name, text]: [string, unknown]): boolean =>
      typeof text === 'string' && isHeader(name, text) && !isTransferHeader(name) && !isCondition(name);
    return given.every(isGood) ? (Object.fromEntries(given) as Record<string, string>) : undefined;
  },
];

const format: Member<FetchedFormat> = [
  feedFormats.map((name) => `'${name}'`).join(', '),
  (value) => feedFormats.find((name) => name === value),
];

export const sourceMembers = {
  url,
  cron,
  timezone,
  jitter: [durationWords, parseDuration] as Member<number>,
  headers,
  timeout: [deadlineWords, aboveZero] as Member<number>,
  format,
};

/** What a source may leave out. */
interface Given {
  readonly url: string;
  readonly cron: string;
  readonly timezone?: string | undefined;
  readonly jitter?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly timeout?: number | undefined;
  readonly format?: FetchedFormat | undefined;
  readonly collection?: string | undefined;
}

/** Adds the defaults. */
export function completeSource(given: Given): FeedSourceSettings {
  return {
    url: given.url,
    cron: given.cron,
    timezone: given.timezone ?? null,
    jitter: given.jitter ?? 0,
    headers: given.headers ?? {},
    timeout: given.timeout ?? 600_000,
    format: given.format ?? null,
    collection: given.collection ?? null,
  };
}
