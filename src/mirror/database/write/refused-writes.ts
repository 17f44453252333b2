/** The error for documents that MongoDB refused to write: which documents, and why. */
import { QuiesceError } from '../../../errors.ts';
import { duplicateKey } from '../../../duplicate-key.ts';
import { Elements, idElement } from '../../bson/elements.ts';
import { showKey } from '../../bson/keys.ts';
import type { PreparedFeed } from '../../prepared/prepared-feed.ts';
import type { WriteKind } from './statements.ts';
import { shortened } from '../../../shortened.ts';

export interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg: string;
  /** The index of a duplicate key. */
  readonly keyPattern?: Readonly<Record<string, unknown>>;
}

const invalidDocument = 121;
/** An index of any kind cannot have the document: two arrays in one key, an array in a hashed index, no place, no language. */
const indexCodes: ReadonlySet<unknown> = new Set([
  171, 13026, 13027, 13067, 13068, 13654, 16675, 16746, 16755, 16766, 16767, 16804, 17261, 17262, 17280,
]);
const told = 20;

/** Whether an index refused a document for what the document is. */
export function isIndexFault(code: unknown): boolean {
  return code === duplicateKey || indexCodes.has(code);
}

/**
 * `errors: [{pointer, key, code, detail}]` has the first documents, `errorCount` their total number. The code is
 * `invalid-feed` if a validator or an index refused all of them, else `run-failed`.
 */
export class RefusedWrites extends QuiesceError {
  readonly kind: WriteKind;
  /** Each refused document has a unique value that another document has. */
  readonly isConflict: boolean;
  /** Each refused document has a key (`_id`) that another document has. */
  readonly isKeyConflict: boolean;

  /** The validator of the collection refused all of them. */
  readonly isInvalid: boolean;

  constructor(kind: WriteKind, batch: readonly Uint8Array[], errors: readonly WriteError[], feed: PreparedFeed) {
    const first = errors.slice(0, told).map(({ index, code, errmsg }) => ({
      ...placeOf(kind, batch[index], feed),
      code,
      detail: shortened(errmsg, 500),
    }));
    const count = errors.length === 1 ? 'an item' : `${errors.length} items, the first`;
    const isFeeds = errors.every(({ code }) => code === invalidDocument || isIndexFault(code));
    super(
      isFeeds ? 'invalid-feed' : 'run-failed',
      `MongoDB would not write ${count} with the key ${first[0]?.key}: ${first[0]?.detail}.`,
      {
        extra: { errors: first, errorCount: errors.length },
      },
    );
    this.kind = kind;
    this.isInvalid = errors.every(({ code }) => code === invalidDocument);
    this.isConflict = errors.every(({ code }) => code === duplicateKey);
    this.isKeyConflict = this.isConflict && errors.every(({ keyPattern }) => keyPattern && '_id' in keyPattern);
  }
}

function placeOf(
  kind: WriteKind,
  bytes: Uint8Array | undefined,
  feed: PreparedFeed,
): { readonly pointer: string; readonly key: string } {
  const id = bytes && new Elements(bytes, 0);
  if (bytes && id && kind !== 'insert' && id.next()) id.reset(bytes, id.value); // moves into the query of the statement
  if (!bytes || !id || !idElement(id)) return { pointer: '', key: '(unknown)' };
  const key = showKey(bytes, id.type, id.value, id.end);
  const item = feed.find(id);
  return { pointer: item === -1 ? '' : `${feed.at}/${item}`, key };
}
