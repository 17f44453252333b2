/** Follows a collection: the site document and the history of all hosts are read so. */
import type { Collection, Document } from 'mongodb';

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
