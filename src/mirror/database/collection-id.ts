/** Reads a collection's UUID. A rename keeps the UUID, so it shows which collection has a name now. */
import type { Binary, Db } from 'mongodb';

export async function collectionId(db: Db, name: string): Promise<Binary | null> {
  const [found] = await db.listCollections({ name }, { nameOnly: false }).toArray();
  return found?.info?.uuid ?? null;
}
