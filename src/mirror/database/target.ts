/** Reads the properties of the collection that a run mirrors into, and refuses kinds that cannot be mirrored. */
import type { ClientSession, Db, Document, Timestamp } from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import { fenceCollection } from './fence.ts';
import { hasTransactions } from './check.ts';

export interface Target {
  readonly db: Db;
  readonly collection: string;
  /** Whether there are transactions and change streams: in a replica set, or in shards of replica sets. */
  readonly transactions: boolean;
  /** Whether a router answers, so that the collection may be on several shards. */
  readonly sharded: boolean;
  /** The documents that belong to the mirror; undefined for all. */
  readonly filter: Document | undefined;
  readonly exists: boolean;
  /** The options in the form of the command `create`. */
  readonly options: Document;
  /** The operation time just before the target was opened. */
  readonly operationTime: Timestamp | undefined;
}

/** @throws QuiesceError `bad-config` if a collection of this kind cannot be made equal to a feed */
export async function openTarget(
  db: Db,
  collection: string,
  scope: Readonly<Record<string, unknown>> | undefined,
): Promise<Target> {
  if (collection === fenceCollection || collection.startsWith('system.') || collection.startsWith('quiesce.staging.')) {
    throw new QuiesceError(
      'bad-config',
      `The collection ${collection} is not one to mirror into: quiesce or MongoDB keeps its own data there.`,
    );
  }
  const hello = await db.command({ hello: 1 });
  const [info] = await db.listCollections({ name: collection }, { nameOnly: false }).toArray();
  if (info) checkKind(collection, info);
  return {
    db,
    collection,
    transactions: hasTransactions(hello),
    sharded: hello['msg'] === 'isdbgrid',
    filter: scope && scopeFilter(scope),
    exists: info !== undefined,
    options: info && 'options' in info ? (info.options ?? {}) : {},
    operationTime: hello['operationTime'] as Timestamp | undefined,
  };
}

/** Creates the collection: in a transaction, MongoDB 4.2 does not create it by itself. */
export async function ensureExists({ db, collection, exists }: Target, session: ClientSession): Promise<void> {
  if (exists) return;
  await db.createCollection(collection, { session }).catch((error: unknown) => {
    if (!(error instanceof Error && 'codeName' in error && error.codeName === 'NamespaceExists')) throw error;
  });
}

function checkKind(collection: string, info: { type?: string; options?: Document }): void {
  const { type = 'collection', options = {} } = info;
  const refuse = (why: string): never => {
    throw new QuiesceError('bad-config', `The collection ${collection} cannot be mirrored into: ${why}.`);
  };
  if (type !== 'collection') refuse(`it is a ${type}`);
  if (options['capped'] === true) refuse('it is capped, and MongoDB deletes from it by itself');
  // Under a collation, “a” and “A” may be the same key for MongoDB, but they are two keys in the feed.
  if (options['collation']) refuse('it has a collation of its own, under which keys that differ may be equal');
}

/**
 * Returns a filter for the documents with exactly these members. `{tags: 'x'}` alone would also match
 * `tags: ['x', 'y']`; it is kept beside `$expr` so that MongoDB can use an index.
 */
function scopeFilter(scope: Readonly<Record<string, unknown>>): Document {
  const exact = Object.entries(scope).map(([name, value]) => ({ $eq: [`$${name}`, { $literal: value }] }));
  return { ...scope, $expr: { $and: exact } };
}
