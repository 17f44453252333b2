/** What the outside gets about the sources of feeds: a part of `GET /api/status`. */
import * as z from '../../vendor/zod.ts';

/** ISO 8601. */
const time = z.string().meta({ format: 'date-time' });

export const sourceState = z
  .enum(['waiting', 'fetching', 'retrying'])
  .describe('waiting: for its next time; fetching: until the end of its run; retrying: it failed, and is tried again.');

export const sourceOutcome = z
  .enum(['mirrored', 'unchanged', 'failed'])
  .describe('mirrored: its run succeeded; unchanged: the server said that nothing has changed, and no run began.');

export const sourceStatus = z
  .object({
    source: z.string().describe('Its address, without what may be a secret.'),
    collection: z.string().optional().describe('Of the mirror that takes it, where the app has several.'),
    scope: z.record(z.string(), z.unknown()).optional().describe('Of that mirror.'),
    state: sourceState,
    next: time.optional().describe('When it is fetched next.'),
    last: z
      .object({
        outcome: sourceOutcome,
        at: time,
        run: z.string().optional(),
        code: z.string().optional().describe('Of the failure.'),
        reason: z.string().optional().describe('Why it failed.'),
      })
      .optional()
      .describe('What became of it last, since the primary started.'),
  })
  .describe('A source of feeds, as the primary that answers knows it.');
export type SourceStatus = z.infer<typeof sourceStatus>;
