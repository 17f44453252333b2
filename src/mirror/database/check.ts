/** Checks that the database answers, and reads the newest epoch of earlier primaries. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import type { CheckRequest, Reachable } from '../messages.ts';
import { openClient } from './clients.ts';
import { isUnauthorized } from './errors.ts';
import { newestEpoch } from './fence.ts';

/** ms */
const pollEvery = 200;

/** @throws the driver's error if the database does not answer in time or refuses the login */
export async function checkDatabase({ uri, db, timeout }: CheckRequest): Promise<Reachable> {
  const client = openClient(uri, timeout);
  try {
    const database = client.db(db);
    await requirePrimary(database, timeout);
    // An app whose user may not read the fence serves all the same; each mirror of it is warned of.
    const fenceEpoch = await newestEpoch(database).catch((error: unknown) => {
      if (isUnauthorized(error)) return 0;
      throw error;
    });
    return { fenceEpoch };
  } finally {
    await client.close();
  }
}

/** With a direct connection, the driver uses that member even if it is not the primary. */
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

/** Whether this is a replica set or a router: a single server has neither transactions nor change streams. */
export function hasTransactions(hello: { setName?: unknown; msg?: unknown }): boolean {
  return typeof hello.setName === 'string' || hello.msg === 'isdbgrid';
}
