/** What a run says of its mirror: which it is, and since when the mirror is as the feed was. */
import { isDeepStrictEqual } from 'node:util';
import type { RunRecord } from '../../../protocol/api/runs.ts';

/** A sync of before, whose record does not tell the collection, counts as one of each mirror. */
export function isOf({ collection, scope }: Pick<RunRecord, 'collection' | 'scope'>): (run: RunRecord) => boolean {
  return (run) =>
    run.kind === 'sync' &&
    (run.collection === undefined || (run.collection === collection && isDeepStrictEqual(run.scope, scope)));
}

/** Until when the feed of a run is known to have been the newest: its end, or the last time that its server said so. */
export function upToDateAt({ endedAt, confirmedAt }: Pick<RunRecord, 'endedAt' | 'confirmedAt'>): string | null {
  return confirmedAt ?? endedAt ?? null;
}
