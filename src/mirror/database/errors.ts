/** The driver's errors as ours. */
import {
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import { QuiesceError } from '../../errors.ts';

/** Leaves alone what is not the driver's. */
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
 * Without what MongoDB quotes in full: the command that it did not allow, with the session and the signature in it, and
 * documents, which may be large and are nobody's business.
 */
export function plainMessage({ message }: Error): string {
  return message.replace(/\bcommand:? \{ *"?(\$?\w+)"?:.*$/s, 'the command $1').slice(0, longestMessage);
}

const longestMessage = 1000;

/** MongoDB's name of it: Unauthorized */
const unauthorized = 13;

export function isUnauthorized(error: unknown): error is MongoServerError {
  return error instanceof MongoServerError && error.code === unauthorized;
}

/** For what the run can do without: nothing happens where the right is missing. */
export async function ifAllowed(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isUnauthorized(error)) throw error;
  });
}

/** A server that stops, starts, or is no primary (any more): the codes of the driver's specification for retryable writes. */
const passing = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/** Whether waiting for the server may help. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof MongoServerError) return typeof error.code === 'number' && passing.has(error.code);
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError
  );
}

/** Whether a transaction may succeed when it is tried again at once: another write was in its way. */
export function isTransient(error: unknown): boolean {
  return error instanceof MongoError && error.hasErrorLabel('TransientTransactionError') && !isUnavailable(error);
}

/** MongoDB's names of them: WriteConflict, TransactionTooLarge … */
const codes = {
  namespaceNotFound: 26,
  maxTimeMsExpired: 50,
  writeConflict: 112,
  transactionTooLarge: 225,
  noSuchTransaction: 251,
  transactionExceededLifetimeLimitSeconds: 290,
  temporarilyUnavailable: 365,
  transactionTooLargeForCache: 388,
};
const tooLargeCodes: ReadonlySet<unknown> = new Set([
  codes.maxTimeMsExpired,
  codes.transactionTooLarge,
  codes.transactionExceededLifetimeLimitSeconds,
  codes.temporarilyUnavailable,
  codes.transactionTooLargeForCache,
]);

/** Whether a transaction holds more than MongoDB takes, in time or in memory: the same one will fail again. */
export function isTooLarge(error: unknown): boolean {
  if (!(error instanceof MongoServerError) || error.hasErrorLabel('UnknownTransactionCommitResult')) return false;
  return saysTooLarge(error.code, error.message);
}

/** The same of what a command says in its answer: of one statement of a bulk. */
export function saysTooLarge(code: unknown, text: string): boolean {
  // WiredTiger rolls back what its cache cannot hold, and MongoDB gives that the code of a conflict: only its text tells.
  return tooLargeCodes.has(code) || (code === codes.writeConflict && /eviction|cache overflow/i.test(text));
}

/** Whether MongoDB has ended a transaction by itself, or a new primary never had it. */
export function isVanished(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === codes.noSuchTransaction;
}

/** Whether a command was not done within its `maxTimeMS`. */
export function isTimedOut(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === codes.maxTimeMsExpired;
}

/** Whether the collection that a command names is not there. */
export function isGone(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === codes.namespaceNotFound;
}
