/**
 * Refuses a feed that would delete more documents than allowed: an export that was cut short, or is empty, is a valid
 * feed that would delete most of the collection.
 */
import { QuiesceError } from '../errors.ts';
import type { MaxDeletes } from '../protocol/feed/max-deletes.ts';

/** Without `max_deletes`, a feed may delete half of the documents, and always this many: so few are soon put back. */
const few = 100;
const half = 0.5;

export interface Deletes {
  readonly deletes: number;
  /** How many documents of the collection belong to the mirror. */
  readonly stored: number;
  /** How many items the feed has. */
  readonly items: number;
}

/** @throws QuiesceError `too-many-deletes` if the feed deletes more than `maxDeletes`, or its default, allows */
export function checkDeletes({ deletes, stored, items }: Deletes, maxDeletes: MaxDeletes | undefined): void {
  const most = maxDeletes === undefined ? Math.max(few, half * stored) : limitOf(maxDeletes, stored);
  if (deletes <= most) return;
  const what = items === 0 ? 'The feed is empty: it' : 'The feed';
  const allowed = maxDeletes === undefined ? 'more than half of them' : `and max_deletes allows ${maxDeletes}`;
  throw new QuiesceError(
    'too-many-deletes',
    `${what} would delete ${deletes} of ${stored} documents, ${allowed}. Nothing was changed. Is the feed complete? If it is, send it again with ?maxDeletes=${deletes} (quiesce sync --max-deletes ${deletes}); the setting sync.max_deletes is for every feed.`,
    { extra: { deletes, stored, ...(maxDeletes === undefined ? {} : { maxDeletes }) } },
  );
}

function limitOf(maxDeletes: MaxDeletes, stored: number): number {
  return typeof maxDeletes === 'number' ? maxDeletes : (Number.parseFloat(maxDeletes) / 100) * stored;
}
