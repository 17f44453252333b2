/** Tells the runs of one mirror from those of the others of an app. */
import { isDeepStrictEqual } from 'node:util';
import type { RunRecord } from '../../protocol/runs.ts';

/** A sync of before, whose record does not tell the collection, counts as one of each mirror. */
export function isOf({ collection, scope }: Pick<RunRecord, 'collection' | 'scope'>): (run: RunRecord) => boolean {
  return (run) =>
    run.kind === 'sync' &&
    (run.collection === undefined || (run.collection === collection && isDeepStrictEqual(run.scope, scope)));
}
