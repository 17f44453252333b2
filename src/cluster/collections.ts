/** The two MongoDB helpers that the site document and the history of all hosts share. */
import { MongoServerError, type Collection, type Document } from 'mongodb';

/** MongoDB's code `DuplicateKey`. */
const duplicateKey = 11_000;

/** The insert lost against the same insert of another host. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === duplicateKey;
}

/**
 * Calls `take` with each changed document, as it is after the change. Returns when the signal is aborted; rejects when
 * the stream fails.
 *
 * @param which the match on change events
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
