/** The setting `quiesce.sync.source`: feeds that the primary fetches. */
import { z } from 'zod';
import { allowedWords, kind, text } from './kinds.ts';
import { completeSource, sourceMembers, type FeedSourceSettings } from './source-members.ts';

const { url, cron, timezone, jitter, headers, timeout, format } = sourceMembers;

/** The faults of its members never contain a value: some are secrets. */
const source = z
  .strictObject({
    url: kind(...url),
    cron: kind(...cron),
    timezone: kind(...timezone).optional(),
    jitter: kind(...jitter).optional(),
    headers: kind(...headers).optional(),
    timeout: kind(...timeout).optional(),
    format: kind(...format).optional(),
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
export function shownSource({
  url: address,
  cron: times,
  timezone: zone,
  headers: sent,
  collection,
}: FeedSourceSettings): string {
  const { origin, pathname, search } = new URL(address);
  const more = Object.keys(sent).length === 0 ? '' : `, with ${Object.keys(sent).join(', ')}`;
  const where = collection === null ? '' : ` into ${collection}`;
  return `${origin}${pathname}${search === '' ? '' : '?…'}${where} at ${times}${zone === null ? '' : ` ${zone}`}${more}`;
}
