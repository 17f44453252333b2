/**
 * Sends documents that are BSON already, byte for byte: the order of members, integers of 64 bits and names such as
 * `__proto__` stay what they are, and nothing is decoded only to be encoded again.
 *
 * The driver has a class for this, which its own bulk writes use but its public API does not offer. Where a version of
 * the driver has it no more, the documents are decoded into the driver's own types and sent as usual.
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

/** The value of a command's `field` that stands for these documents. The field itself comes last in the command. */
export function documents(field: 'documents' | 'updates' | 'deletes', raw: readonly Uint8Array[]): unknown {
  if (sequenceClass === null) return raw.map((bytes) => driverDocument(bytes, 0));
  const sequence = new sequenceClass(field);
  for (const bytes of raw) sequence.push({}, bytes);
  return sequence;
}
