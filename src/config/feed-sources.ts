/** The setting `quiesce.sync.source`: feeds that the primary fetches. */
import { Cron } from 'croner';
import { z } from 'zod';
import { isTransferHeader, isHeader } from '../protocol/sent-headers.ts';
import { allowedWords, deadline, duration, kind, oneOf } from './kinds.ts';

export const feedFormats = ['json', 'ndjson', 'csv'] as const;

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
  readonly format: (typeof feedFormats)[number] | null;
  /** The collection of the mirror that takes it. Null: the app has one mirror. */
  readonly collection: string | null;
}

const address = kind('an address that begins with http:// or https://', (value) =>
  typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) ? value : undefined,
);

const pattern = kind("a cron pattern such as '0 3 * * *'", (value) =>
  typeof value === 'string' && isPattern(value) ? value : undefined,
);

const zone = kind("the name of a time zone, such as 'Europe/Berlin'", (value) =>
  typeof value === 'string' && isPattern('0 0 * * *', value) ? value : undefined,
);

/** Its faults never contain a value: values are secrets. */
const headers = kind('headers by name, none of which controls the transfer itself', (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const given = Object.entries(value as Readonly<Record<string, unknown>>);
  const isGood = ([name, text]: [string, unknown]): boolean =>
    typeof text === 'string' && isHeader(name, text) && !isTransferHeader(name);
  return given.every(isGood) ? (value as Readonly<Record<string, string>>) : undefined;
});

const text = kind('text', (value) => (typeof value === 'string' && value !== '' ? value : undefined));

const source = z
  .strictObject({
    url: address,
    cron: pattern,
    timezone: zone.optional(),
    jitter: duration.optional(),
    headers: headers.optional(),
    timeout: deadline.optional(),
    format: oneOf(...feedFormats).optional(),
    collection: text.optional(),
  })
  .transform((given): FeedSourceSettings => ({
    url: given.url,
    cron: given.cron,
    timezone: given.timezone ?? null,
    jitter: given.jitter ?? 0,
    headers: given.headers ?? {},
    timeout: given.timeout ?? 600_000,
    format: given.format ?? null,
    collection: given.collection ?? null,
  }));

const allowed = 'a source, or a list of them: { url, cron, timezone, jitter, headers, timeout, format, collection }';

export const feedSources: z.ZodType<readonly FeedSourceSettings[]> = z
  .preprocess(
    (value) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? [value] : value),
    z.array(source, { error: allowed }),
  )
  .register(allowedWords, { allowed });

/** Without what may be a secret: user, password, query and headers. */
export function shownSource({ url, cron, timezone, headers: sent, collection }: FeedSourceSettings): string {
  const { origin, pathname, search } = new URL(url);
  const more = Object.keys(sent).length === 0 ? '' : `, with ${Object.keys(sent).join(', ')}`;
  const where = collection === null ? '' : ` into ${collection}`;
  return `${origin}${pathname}${search === '' ? '' : '?…'}${where} at ${cron}${timezone === null ? '' : ` ${timezone}`}${more}`;
}

function isPattern(text: string, timezone?: string): boolean {
  try {
    // Without a function, Cron only parses.
    const job = new Cron(text, { paused: true, ...(timezone === undefined ? {} : { timezone }) });
    job.nextRun(); // croner looks at the time zone only here
    job.stop();
    return true;
  } catch {
    return false;
  }
}
