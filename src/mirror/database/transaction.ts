/**
 * One transaction after another in one session. The driver's `withTransaction` tries for two minutes whatever the
 * reason; here a conflict is tried again until the deadline, and a server that is gone is left to the caller, who may
 * have to look anew at what is there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { MongoError, type ClientSession } from 'mongodb';
import { isTransient } from './errors.ts';

/** MongoDB ends a transaction after 60 s (transactionLifetimeLimitSeconds). */
const tooLong = 40_000;
const longestPause = 200;

/** The transaction holds more than MongoDB takes, in time or in memory. */
export class TransactionTooLarge extends Error {}

/** TransactionTooLarge, TransactionTooLargeForCache */
const largeCodes = new Set([225, 365]);

export interface Outcome {
  /** The commit was sent, and it is not known what became of it. */
  uncertain: boolean;
}

/** `timeout`: how long, in ms, other writes may be in the way. `outcome` tells what is known when this throws. */
export async function transact(
  session: ClientSession,
  work: () => Promise<void>,
  timeout: number,
  outcome: Outcome,
): Promise<void> {
  const deadline = performance.now() + timeout;
  for (let attempt = 1; ; attempt++) {
    const startedAt = performance.now();
    try {
      session.startTransaction({ readConcern: { level: 'local' }, writeConcern: { w: 'majority' } });
      await work();
      outcome.uncertain = true;
      await commit(session, deadline);
      outcome.uncertain = false;
      return;
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => {}); // the server ends it if this fails
      if (error instanceof MongoError && largeCodes.has(Number(error.code)))
        throw new TransactionTooLarge(error.message, { cause: error });
      if (!isTransient(error)) throw error;
      outcome.uncertain = false; // a commit that fails so has not happened
      if (performance.now() - startedAt > tooLong)
        throw new TransactionTooLarge('it took longer than MongoDB lets it', { cause: error });
      if (performance.now() > deadline) throw error;
      await delay(Math.min(longestPause, 5 * 2 ** attempt) * (0.5 + Math.random() / 2));
    }
  }
}

async function commit(session: ClientSession, deadline: number): Promise<void> {
  for (;;) {
    try {
      await session.commitTransaction();
      return;
    } catch (error) {
      const unknown = error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult');
      if (!unknown || performance.now() > deadline) throw error;
      await delay(longestPause);
    }
  }
}
