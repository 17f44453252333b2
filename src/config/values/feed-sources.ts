/** The setting `quiesce.sync.source`: feeds that the primary fetches. */
import * as z from '../../vendor/zod.ts';
import { allowedWords, kind, text } from './kinds.ts';
import { completeSource, sourceMembers, type FeedSourceSettings } from './source-members.ts';

/** The faults of its members never contain a value: some are secrets. */
const source = z
  .strictObject({
    url: kind(...sourceMembers.url),
    cron: kind(...sourceMembers.cron),
    timezone: kind(...sourceMembers.timezone).optional(),
    jitter: kind(...sourceMembers.jitter).optional(),
    headers: kind(...sourceMembers.headers).optional(),
    timeout: kind(...sourceMembers.timeout).optional(),
    format: kind(...sourceMembers.format).optional(),
    collection: text.optional(),
  })
  .transform(completeSource);

const allowed = 'a source, or a list of them: { url, cron, timezone, jitter, headers, timeout, format, collection }';

export const feedSources: z.ZodType<readonly FeedSourceSettings[]> = z
  .preprocess(
    (value) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? [value] : value),
    z.array(source, { error: allowed }),
  )
  .register(allowedWords, { allowed });

/** Without what may be a secret: user, password, query and headers. */
export function shownSource({ url, cron, timezone, headers, collection }: FeedSourceSettings): string {
  const { origin, pathname, search } = new URL(url);
  const more = Object.keys(headers).length === 0 ? '' : `, with ${Object.keys(headers).join(', ')}`;
  const where = collection === null ? '' : ` into ${collection}`;
  return `${origin}${pathname}${search === '' ? '' : '?…'}${where} at ${cron}${timezone === null ? '' : ` ${timezone}`}${more}`;
}
