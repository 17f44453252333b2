/** What MongoDB would not write: which documents, and why. */
import { QuiesceError } from '../../errors.ts';
import { Elements, idElement } from '../bson/elements.ts';
import { showKey } from '../bson/keys.ts';
import type { WriteKind } from './statements.ts';

export interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg: string;
  /** Of a duplicate key: the index that it is about. */
  readonly keyPattern?: Readonly<Record<string, unknown>>;
}

const duplicateKey = 11000;
const told = 20;

/** `run-failed`, with `errors: [{key, code, detail}]` of the first documents and `errorCount`. */
export class RefusedWrites extends QuiesceError {
  readonly kind: WriteKind;
  /** Another document holds a unique value that this one shall have. */
  readonly isConflict: boolean;
  /** Another document holds the very key. */
  readonly isKeyConflict: boolean;

  constructor(kind: WriteKind, batch: readonly Uint8Array[], errors: readonly WriteError[]) {
    const first = errors.slice(0, told).map(({ index, code, errmsg }) => ({
      key: keyOf(kind, batch[index]),
      code,
      detail: errmsg.slice(0, 500),
    }));
    const count = errors.length === 1 ? 'an item' : `${errors.length} items, the first`;
    super('run-failed', `MongoDB would not write ${count} with the key ${first[0]?.key}: ${first[0]?.detail}.`, {
      extra: { errors: first, errorCount: errors.length },
    });
    this.kind = kind;
    this.isConflict = errors.every(({ code }) => code === duplicateKey);
    this.isKeyConflict = this.isConflict && errors.every(({ keyPattern }) => keyPattern && '_id' in keyPattern);
  }
}

function keyOf(kind: WriteKind, bytes: Uint8Array | undefined): string {
  if (!bytes) return '(unknown)';
  const id = new Elements(bytes, 0);
  if (kind !== 'insert' && id.next()) id.reset(bytes, id.value); // into the statement's query
  return idElement(id) ? showKey(bytes, id.type, id.value, id.end) : '(unknown)';
}
