/** Is the database there, and what does it know of earlier primaries? */
import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import type { CheckRequest, Reachable } from '../messages.ts';
import { openClient } from './clients.ts';
import { newestEpoch } from './fence.ts';

/** ms */
const pollEvery = 200;

/** @throws the driver's error where the database does not answer in time, or does not let us in */
export async function checkDatabase({ uri, db, timeout }: CheckRequest): Promise<Reachable> {
  const client = openClient(uri, timeout);
  try {
    const database = client.db(db);
    await requirePrimary(database, timeout);
    return { fenceEpoch: await newestEpoch(database) };
  } finally {
    await client.close();
  }
}

/** Where the connection is to one member only, the driver asks that one, whatever it is. */
async function requirePrimary(database: Db, timeout: number): Promise<void> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const hello = await database.command({ hello: 1 });
    if (hello['isWritablePrimary'] !== false) return;
    if (performance.now() > deadline)
      throw new QuiesceError(
        'database-unavailable',
        'The connection string leads to a member of a replica set that is not its primary. Leave out directConnection, or name the primary.',
      );
    await delay(pollEvery);
  }
}

/** A replica set, or a router before some: a single server has neither transactions nor change streams. */
export function hasTransactions(hello: { setName?: unknown; msg?: unknown }): boolean {
  return typeof hello.setName === 'string' || hello.msg === 'isdbgrid';
}
