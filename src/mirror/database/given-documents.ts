/** Asks MongoDB about documents that are sent with the question. Nothing is stored. */
import type { ClientSession, CollationOptions, Document } from 'mongodb';
import { isRefusal } from './errors.ts';
import { Batch, type TakeDocument } from './scan.ts';
import type { Target } from './target.ts';

export interface Asking {
  readonly target: Target;
  readonly session: ClientSession;
  /** Default: strings are equal if their bytes are. */
  readonly collation?: CollationOptions | null;
}

/**
 * Calls back with what the stages make of the documents; that may not be more than there are documents. Resolves with false
 * if MongoDB cannot answer (before 5.1) or may not.
 */
export async function askAbout(
  { target, session, collation }: Asking,
  documents: readonly unknown[],
  stages: readonly Document[],
  take: TakeDocument,
): Promise<boolean> {
  const pipeline = [{ $documents: { $literal: documents } }, ...stages];
  const how = { readConcern: { level: 'local' }, ...(collation ? { collation } : {}) };
  const command = { aggregate: 1, pipeline, cursor: { batchSize: documents.length }, ...how };
  let reply;
  try {
    reply = await target.db.command(command, { session, raw: true });
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
  new Batch(reply['cursor'] as Uint8Array).walk(take);
  return true;
}
