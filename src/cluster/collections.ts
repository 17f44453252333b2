/** What the site document and the history of all hosts ask of MongoDB in the same way. */
import { MongoServerError, type Collection, type Document } from 'mongodb';

/** MongoDB's code `DuplicateKey`. */
const duplicateKey = 11_000;

/** Another host was faster. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === duplicateKey;
}

/**
 * Calls back with each document as it is after a change, until the signal is aborted or the stream ends, which rejects.
 *
 * @param which selects the changes
 */
export async function eachChange<T extends Document>(
  collection: Collection<T>,
  which: Document,
  take: (document: T) => void,
  signal: AbortSignal,
): Promise<void> {
  const options = { fullDocument: 'updateLookup', maxAwaitTimeMS: 1_000 } as const;
  const stream = collection.watch([{ $match: which }], options);
  const close = (): void => void stream.close().catch(() => {});
  signal.addEventListener('abort', close);
  try {
    for await (const change of stream) {
      const document = 'fullDocument' in change ? change.fullDocument : undefined;
      if (document !== undefined && document !== null) take(document);
    }
  } finally {
    signal.removeEventListener('abort', close);
    await stream.close().catch(() => {});
  }
}
