/** The collection that a run mirrors into: what it is, and whether it can be mirrored at all. */
import type { ClientSession, Db, Document, Timestamp } from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import { fenceCollection } from './fence.ts';
import { hasTransactions } from './check.ts';

export interface Target {
  readonly db: Db;
  readonly collection: string;
  /** Transactions and change streams: a replica set, or shards of them. */
  readonly transactions: boolean;
  /** Behind a router, where a collection may lie on several shards. */
  readonly sharded: boolean;
  /** The documents that belong to the mirror; undefined for all. */
  readonly filter: Document | undefined;
  readonly exists: boolean;
  /** As `create` takes them. */
  readonly options: Document;
  /** What had happened before it was opened. */
  readonly operationTime: Timestamp | undefined;
}

/** @throws QuiesceError `bad-config` where the collection is of a kind that cannot be made equal to a feed */
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

/** Made explicitly: in a transaction MongoDB 4.2 does not do it by itself. */
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
  // Under a collation “a” and “A” may be one key for MongoDB, and are two in the feed.
  if (options['collation']) refuse('it has a collation of its own, under which keys that differ may be equal');
}

/**
 * The documents with these members, exactly. `{tags: 'x'}` alone would match `tags: ['x', 'y']` as well; the plain
 * equality beside it lets an index be used.
 */
function scopeFilter(scope: Readonly<Record<string, unknown>>): Document {
  const exact = Object.entries(scope).map(([name, value]) => ({ $eq: [`$${name}`, { $literal: value }] }));
  return { ...scope, $expr: { $and: exact } };
}
