/** Is the database there, and what does it know of earlier primaries? */
import type { CheckRequest, Reachable } from '../messages.ts';
import { openClient } from './clients.ts';
import { newestEpoch } from './fence.ts';

/** @throws the driver's error where the database does not answer in time, or does not let us in */
export async function checkDatabase({ uri, db, timeout }: CheckRequest): Promise<Reachable> {
  const client = openClient(uri, timeout);
  try {
    const database = client.db(db);
    const replicaSet = hasTransactions(await database.command({ hello: 1 }));
    return { replicaSet, fenceEpoch: await newestEpoch(database) };
  } finally {
    await client.close();
  }
}

/** A replica set, or a router before some: a single server has neither transactions nor change streams. */
export function hasTransactions(hello: { setName?: unknown; msg?: unknown }): boolean {
  return typeof hello.setName === 'string' || hello.msg === 'isdbgrid';
}
