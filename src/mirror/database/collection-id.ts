/** A collection's UUID: it stays with it when it is renamed, so it tells which one bears a name now. */
import type { Binary, Db } from 'mongodb';

export async function collectionId(db: Db, name: string): Promise<Binary | null> {
  const [found] = await db.listCollections({ name }, { nameOnly: false }).toArray();
  return found?.info?.uuid ?? null;
}
