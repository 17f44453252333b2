/** The errors for a transaction that is given up although MongoDB would allow another attempt. */
import { QuiesceError } from '../../../errors.ts';

/** The transaction exceeds MongoDB's limits of time or memory. */
export class TransactionTooLarge extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'TransactionTooLarge';
  }
}

/** `run-failed`: another transaction conflicted until the deadline. */
export class WriteConflict extends QuiesceError {
  constructor(waited: number, cause: unknown) {
    super(
      'run-failed',
      `A transaction that is not this run's has held a document, or the collection, that the run has to write for ${waited / 1000} s, which is sync.conflict_timeout. End it (db.currentOp() of MongoDB shows it), or wait for its end, and send the feed again.`,
      { cause },
    );
    this.name = 'WriteConflict';
  }
}
