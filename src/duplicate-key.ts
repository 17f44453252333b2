/** Recognizes MongoDB's error that another document has the same unique value. */
import { MongoServerError } from 'mongodb';

/** MongoDB's code `DuplicateKey`. */
export const duplicateKey = 11_000;

export function isDuplicateKey(error: unknown): error is MongoServerError {
  return error instanceof MongoServerError && error.code === duplicateKey;
}
