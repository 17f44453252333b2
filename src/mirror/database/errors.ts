/** Classifies the driver's errors and turns them into QuiesceErrors. */
import {
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import { shortened } from '../../shortened.ts';

/** Returns a QuiesceError for an error of the driver; returns other errors unchanged. */
export function toDatabaseError(error: unknown): unknown {
  if (!(error instanceof MongoError)) return error;
  if (isUnavailable(error)) {
    return new QuiesceError(
      'database-unavailable',
      `MongoDB cannot be reached: ${plainMessage(error)}. Check that it runs, and mongodb.uri or MONGODB_URI.`,
      { cause: error },
    );
  }
  if (error instanceof MongoParseError) {
    return new QuiesceError('bad-config', `The connection string of MongoDB is wrong: ${error.message}`, {
      cause: error,
    });
  }
  const code = error instanceof MongoServerError && error.codeName ? ` (${error.codeName})` : '';
  return new QuiesceError('run-failed', `MongoDB refused: ${plainMessage(error)}${code}`, { cause: error });
}

/**
 * The message without the texts that MongoDB quotes in full: the command that it refused, with its session and
 * signature, and documents, which may be large and private.
 */
export function plainMessage({ message }: Error): string {
  return shortened(message.replace(/\bcommand:? \{ *"?(\$?\w+)"?:.*$/s, 'the command $1'), longestMessage);
}

const longestMessage = 1000;

/** MongoDB's code `Unauthorized`. */
const unauthorized = 13;

export function isUnauthorized(error: unknown): error is MongoServerError {
  return error instanceof MongoServerError && error.code === unauthorized;
}

/** For optional work: ignores the error if the right for it is missing. */
export async function ifAllowed(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isUnauthorized(error)) throw error;
  });
}

/**
 * Codes of a server that stops, starts, or is not the primary, from the driver's specification for retryable writes.
 */
const passing = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/** MongoDB is there, and does not do what it is told. */
export function isRefusal(error: unknown): boolean {
  return error instanceof MongoServerError && !isUnavailable(error);
}

/** Whether waiting for the server may help. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof MongoServerError) return typeof error.code === 'number' && passing.has(error.code);
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError
  );
}

/** Whether a transaction may succeed if it is tried again at once: it conflicted with another write. */
export function isTransient(error: unknown): boolean {
  return error instanceof MongoError && error.hasErrorLabel('TransientTransactionError') && !isUnavailable(error);
}

/** MongoDB's error codes by name: WriteConflict, TransactionTooLarge … */
const codes = {
  namespaceNotFound: 26,
  maxTimeMsExpired: 50,
  writeConflict: 112,
  transactionTooLarge: 225,
  noSuchTransaction: 251,
  transactionExceededLifetimeLimitSeconds: 290,
  temporarilyUnavailable: 365,
  transactionTooLargeForCache: 388,
  outOfDiskSpace: 14_031,
};
const tooLargeCodes: ReadonlySet<unknown> = new Set([
  codes.maxTimeMsExpired,
  codes.transactionTooLarge,
  codes.transactionExceededLifetimeLimitSeconds,
  codes.temporarilyUnavailable,
  codes.transactionTooLargeForCache,
]);

/** Whether a transaction exceeds MongoDB's limits of time or memory: the same transaction would fail again. */
export function isTooLarge(error: unknown): boolean {
  if (!(error instanceof MongoServerError) || error.hasErrorLabel('UnknownTransactionCommitResult')) return false;
  return saysTooLarge(error.code, error.message);
}

/** The same check for the error of one statement in the answer of a bulk write. */
export function saysTooLarge(code: unknown, text: string): boolean {
  // WiredTiger rolls back a transaction that does not fit its cache. MongoDB reports a conflict; only the text differs.
  return tooLargeCodes.has(code) || (code === codes.writeConflict && /eviction|cache overflow/i.test(text));
}

/** Whether MongoDB ended the transaction itself, or a new primary does not know it. */
export function isVanished(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === codes.noSuchTransaction;
}

/**
 * Whether the server has no room for a document. A hosted one says so in the message alone: "you are over your space quota"
 * with the code of all its refusals, "User writes blocked, reason: DiskUseThresholdExceeded" with that of any block.
 */
export function isOutOfRoom(error: unknown): error is MongoServerError {
  if (!(error instanceof MongoServerError)) return false;
  return (
    error.code === codes.outOfDiskSpace || /(space|storage) quota|no space left|disk ?(space|use)/i.test(error.message)
  );
}

/** Whether a command did not end within its `maxTimeMS`. */
export function isTimedOut(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === codes.maxTimeMsExpired;
}

/** Whether the collection that a command names does not exist. */
export function isGone(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === codes.namespaceNotFound;
}
