/** Reads the indexes of the mirrored collection. */
import type { IndexDescription } from 'mongodb';
import type { Target } from './target.ts';

/** Returns the indexes in the form of `createIndexes`, without the `_id` index, which every collection has. */
export async function indexesOf({ db, collection, exists }: Target): Promise<IndexDescription[]> {
  if (!exists) return [];
  const indexes = (await db.collection(collection).listIndexes().toArray()) as (IndexDescription & {
    ns?: string;
    v?: number;
  })[];
  return indexes.filter(({ name }) => name !== '_id_').map(({ ns: _ns, ...index }) => index);
}
