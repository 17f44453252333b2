/** Tells, before there is a feed, what of a collection only MongoDB can judge. */
import type { Db, IndexDescription } from 'mongodb';
import { isRefusal } from '../database/errors.ts';
import { indexesOf } from '../database/indexes.ts';
import { openTarget } from '../database/target.ts';
import { validatorRefuses } from '../database/validator.ts';
import { kindOf } from './special.ts';

/** Since MongoDB 5.1, a pipeline can begin with documents. Its version in the answer to `hello`. */
const judgesDocuments = 14;

/** Returns texts such as `the index place_2dsphere (2dsphere)`. */
export async function unjudgeable(db: Db, collection: string): Promise<string[]> {
  try {
    const { maxWireVersion } = await db.command({ hello: 1 });
    const isOld = maxWireVersion < judgesDocuments;
    const target = await openTarget(db, collection, undefined);
    const indexes = await indexesOf(target);
    const named = indexes.flatMap((index) => {
      const why = kindOf(index) ?? (isOld ? oldReason(index) : null);
      return why === null ? [] : [`the index ${index.name} (${why})`];
    });
    return isOld && validatorRefuses(target) ? ['the validator (before MongoDB 5.1)', ...named] : named;
  } catch (error) {
    if (isRefusal(error)) return []; // the rights that are missing are told by name
    throw error;
  }
}

function oldReason({ unique, collation, partialFilterExpression }: IndexDescription): string | null {
  const isJudged = unique !== true || (!collation && !partialFilterExpression);
  return isJudged ? null : 'unique, partial or with a collation, before MongoDB 5.1';
}
