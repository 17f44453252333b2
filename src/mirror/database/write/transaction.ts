/**
 * Runs one transaction after another in one session. The driver's `withTransaction` tries again for two minutes for any
 * reason. Here, a conflict is tried again until its own deadline, a transaction that is too large is recognized at the
 * first sign, and an unavailable server is left to the caller, who may have to compare again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { MongoError, type ClientSession } from 'mongodb';
import { isTooLarge, isTransient, isVanished } from '../errors.ts';
import { TransactionTooLarge, WriteConflict } from './transaction-errors.ts';

const longestPause = 200;
/** The least `transactionLifetimeLimitSeconds`, ms. */
const shortestLifetime = 1000;

/** ms */
export interface Patience {
  /** How long conflicts with other writes may last, from the first conflict on. */
  readonly conflicts: number;
  /** How long one attempt may take before its commit. */
  readonly attempt: number;
  /** How long the result of a commit may be unknown. */
  readonly commit: number;
}

export interface Outcome {
  /** The commit was sent, and its result is unknown. */
  uncertain: boolean;
}

/**
 * @param work is called for each attempt, with a function that returns the ms left for it
 * @param outcome shows, if this function throws, whether the commit may have happened
 * @throws TransactionTooLarge, WriteConflict, and the errors of `work`
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
      if (session.inTransaction()) await session.abortTransaction().catch(() => {}); // else the server ends it
      const tooLarge = error instanceof TransactionTooLarge || isTooLarge(error);
      if (!tooLarge && !isTransient(error)) throw error;
      outcome.uncertain = false; // after these errors, the commit has not happened
      // Once may be a failover. Twice means that MongoDB ends each attempt after its time limit.
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
