/**
 * Refuses a feed that would delete more than is allowed: an export that was cut short, or is empty, is a valid feed that
 * takes most of the collection with it.
 */
import { QuiesceError } from '../errors.ts';
import type { MaxDeletes } from '../protocol/max-deletes.ts';

/** Where nobody has said how many: more than half is refused, but for so few that they are soon put back. */
const few = 100;
const half = 0.5;

export interface Deletes {
  readonly deletes: number;
  /** What the collection holds, as far as it is the mirror's. */
  readonly stored: number;
  /** What the feed holds. */
  readonly items: number;
}

/** @throws QuiesceError `too-many-deletes` */
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
