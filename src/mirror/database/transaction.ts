/**
 * One transaction after another in one session. The driver's `withTransaction` tries for two minutes whatever the
 * reason; here a conflict is tried again until a deadline of its own, what MongoDB cannot hold is told from it at the
 * first sign, and a server that is gone is left to the caller, who may have to look anew at what is there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { MongoError, type ClientSession } from 'mongodb';
import { isTooLarge, isTransient, isVanished } from './errors.ts';
import { TransactionTooLarge, WriteConflict } from './transaction-errors.ts';

const longestPause = 200;
/** The least `transactionLifetimeLimitSeconds`, ms. */
const shortestLifetime = 1000;

/** ms */
export interface Patience {
  /** How long other writes may be in the way, from the first that is on. */
  readonly conflicts: number;
  /** How long one attempt may take until it is committed. */
  readonly attempt: number;
  /** How long it may take to learn what became of a commit. */
  readonly commit: number;
}

export interface Outcome {
  /** The commit was sent, and it is not known what became of it. */
  uncertain: boolean;
}

/**
 * @param work is begun anew with each attempt, and told how much of its time is left
 * @param outcome tells what is known when this throws
 * @throws TransactionTooLarge, WriteConflict, and what `work` throws
 */
export async function transact(
  session: ClientSession,
  work: (left: () => number) => Promise<void>,
  patience: Patience,
  outcome: Outcome,
): Promise<void> {
  let deadline = Infinity;
  let vanished = 0;
  for (let attempt = 1; ; attempt++) {
    const startedAt = performance.now();
    const left = (): number => timeLeft(startedAt + patience.attempt);
    try {
      session.startTransaction({ readConcern: { level: 'local' }, writeConcern: { w: 'majority' } });
      await work(left);
      outcome.uncertain = true;
      await commit(session, performance.now() + patience.commit);
      outcome.uncertain = false;
      return;
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => {}); // the server ends it if this fails
      const tooLarge = error instanceof TransactionTooLarge || isTooLarge(error);
      if (!tooLarge && !isTransient(error)) throw error;
      outcome.uncertain = false; // a commit that fails so has not happened
      // Once it may be a failover. Twice, it is MongoDB that ends it each time after so long.
      if (isVanished(error) && performance.now() - startedAt > shortestLifetime) vanished++;
      if (tooLarge || vanished === 2) throw new TransactionTooLarge(error);
      deadline = Math.min(deadline, performance.now() + patience.conflicts);
      if (performance.now() >= deadline) throw new WriteConflict(patience.conflicts, error);
      await delay(Math.min(longestPause, 5 * 2 ** attempt) * (0.5 + Math.random() / 2));
    }
  }
}

function timeLeft(deadline: number): number {
  const left = Math.ceil(deadline - performance.now());
  if (left <= 0) throw new TransactionTooLarge(new Error('it takes too long'));
  return left;
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
