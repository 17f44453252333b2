/**
 * Sends documents that are already BSON, byte for byte: the order of members, 64-bit integers and names such as
 * `__proto__` stay unchanged, and nothing is decoded and encoded again.
 *
 * The driver has a class for this that its own bulk writes use but that is not in its public API. If a version of the
 * driver no longer has the class, the documents are decoded into the driver's types and sent as usual.
 */
import { createRequire } from 'node:module';
import type { Document } from 'mongodb';
import { driverDocument } from '../bson/driver-value.ts';

interface DocumentSequence {
  push(document: Document, bytes: Uint8Array): number;
}
type SequenceClass = new (field: string) => DocumentSequence;

const sequenceClass = findClass();

function findClass(): SequenceClass | null {
  try {
    const require = createRequire(import.meta.url);
    const { DocumentSequence } = require('mongodb/lib/cmap/commands.js') as { DocumentSequence?: SequenceClass };
    return typeof DocumentSequence?.prototype.push === 'function' ? DocumentSequence : null;
  } catch {
    return null;
  }
}

/** Returns the value of a command's `field` for these documents. The field has to be the last of the command. */
export function documents(field: 'documents' | 'updates' | 'deletes', raw: readonly Uint8Array[]): unknown {
  if (sequenceClass === null) return raw.map((bytes) => driverDocument(bytes, 0));
  const sequence = new sequenceClass(field);
  for (const bytes of raw) sequence.push({}, bytes);
  return sequence;
}
