/** Why a transaction was given up that MongoDB would have let us try again. */
import { QuiesceError } from '../../errors.ts';

/** It holds more than MongoDB takes, in time or in memory. */
export class TransactionTooLarge extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'TransactionTooLarge';
  }
}

/** `run-failed`: somebody else's transaction was in the way all the time. */
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
