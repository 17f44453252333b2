/** The driver's errors as ours. */
import {
  MongoError,
  MongoNetworkError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
  MongoNotConnectedError,
} from 'mongodb';
import { QuiesceError } from '../../errors.ts';

/** Leaves alone what is not the driver's. */
export function toDatabaseError(error: unknown): unknown {
  if (!(error instanceof MongoError)) return error;
  if (isUnavailable(error)) {
    return new QuiesceError(
      'database-unavailable',
      `MongoDB cannot be reached: ${error.message}. Check that it runs, and mongodb.uri or MONGODB_URI.`,
      { cause: error },
    );
  }
  if (error instanceof MongoParseError) {
    return new QuiesceError('bad-config', `The connection string of MongoDB is wrong: ${error.message}`, {
      cause: error,
    });
  }
  const code = error instanceof MongoServerError && error.codeName ? ` (${error.codeName})` : '';
  return new QuiesceError('run-failed', `MongoDB refused: ${error.message}${code}`, { cause: error });
}

/** Whether waiting may help. */
export function isUnavailable(error: unknown): boolean {
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError
  );
}
