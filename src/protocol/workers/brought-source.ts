/** The sources of feeds that the mirrors of an app bring, as a worker tells the primary. */
import * as z from '../../vendor/zod.ts';
import { isCronPattern } from '../../config/values/cron-pattern.ts';
import { feedFormats, type FeedSourceSettings } from '../../config/values/source-members.ts';

/** Complete, as the worker has read it. */
const broughtSource = z.object({
  url: z.url({ protocol: /^https?$/ }),
  cron: z.string(),
  timezone: z.string().nullable(),
  jitter: z.number().nonnegative(),
  headers: z.record(z.string(), z.string()),
  timeout: z.number().positive(),
  format: z.enum(feedFormats).nullable(),
  collection: z.string(),
  scope: z.record(z.string(), z.unknown()).nullable(),
});

export interface BroughtSource extends FeedSourceSettings {
  readonly collection: string;
  readonly scope: Readonly<Record<string, unknown>> | null;
}

/** A pattern that cannot be read would throw where the primary starts its timer. */
export const broughtSources = z
  .array(broughtSource)
  .refine((list) => list.every(({ cron, timezone }) => isCronPattern(cron, timezone ?? undefined)), {
    error: 'a cron pattern or a time zone cannot be understood',
  });
