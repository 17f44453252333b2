/** Checks the rights of the connection string's user in MongoDB before the pause. */
import { MongoServerError, type Db } from 'mongodb';
import { QuiesceError } from '../../errors.ts';
import { fenceCollection } from './fence.ts';
import { plainMessage } from './errors.ts';

interface Privilege {
  readonly resource: { readonly db?: string; readonly collection?: string; readonly anyResource?: boolean };
  readonly actions: readonly string[];
}

export interface Right {
  readonly actions: readonly string[];
  /** Empty for every collection of the database; `listCollections` is such a right. */
  readonly collection: string;
}

/** The rights that each task needs in the mirrored database. */
export const rightsFor = {
  reading: (collection: string): Right[] => [
    { actions: ['listCollections'], collection: '' },
    { actions: ['find'], collection },
    { actions: ['find', 'insert', 'update'], collection: fenceCollection },
  ],
  writing: (collection: string): Right[] => [{ actions: ['insert', 'update', 'remove'], collection }],
  'two-phase': (): Right[] => [{ actions: ['find', 'changeStream'], collection: '' }],
  /** For every collection, since each copy has a different name. */
  swap: (collection: string, keeps: boolean): Right[] => [
    { actions: ['listIndexes'], collection },
    { actions: ['find', 'insert', ...(keeps ? ['update'] : []), 'createIndex', 'dropCollection'], collection: '' },
  ],
  /** To find two items with one value of a unique index before the pause. */
  unique: (collection: string): Right[] => [{ actions: ['listIndexes'], collection }],
};

/** Why a strategy is not used, from what `missingRights` returns. */
export function lacks(missing: readonly string[]): string {
  return `the user of the connection string lacks ${missing.join('; ')}`;
}

/** Returns the missing rights as text; none if MongoDB needs no login or does not report the rights. */
export async function missingRights(db: Db, rights: readonly Right[]): Promise<string[]> {
  const privileges = await privilegesOf(db);
  if (privileges === null) return [];
  return rights.flatMap(({ actions, collection }) => {
    const missing = actions.filter(
      (action) => !privileges.some((one) => gives(one, db.databaseName, collection, action)),
    );
    const where = collection === '' ? `the database ${db.databaseName}` : `${db.databaseName}.${collection}`;
    return missing.length === 0 ? [] : [`${missing.join(', ')} on ${where}`];
  });
}

/** @throws QuiesceError `run-failed` with the names of the missing rights */
export async function requireRights(db: Db, rights: readonly Right[]): Promise<void> {
  const missing = await missingRights(db, rights);
  if (missing.length === 0) return;
  throw new QuiesceError(
    'run-failed',
    `The user of the connection string lacks rights in MongoDB: ${missing.join('; ')}. Nothing was changed. Grant them, or the role readWrite.`,
    { extra: { missingRights: missing } },
  );
}

async function privilegesOf(db: Db): Promise<readonly Privilege[] | null> {
  try {
    const { authInfo } = await db.admin().command({ connectionStatus: 1, showPrivileges: true });
    return authInfo?.authenticatedUsers?.length > 0 ? (authInfo.authenticatedUserPrivileges as Privilege[]) : null;
  } catch (error) {
    if (error instanceof MongoServerError) return null;
    throw error;
  }
}

function gives({ resource, actions }: Privilege, db: string, collection: string, action: string): boolean {
  if (!actions.includes(action)) return false;
  if (resource.anyResource) return true;
  if (resource.db === undefined || (resource.db !== '' && resource.db !== db)) return false;
  return resource.collection === '' || resource.collection === collection;
}

/** Returns the reason why a strategy is not used, for the run's notes. */
export function lackOf(error: MongoServerError): string {
  return `MongoDB refused: ${plainMessage(error)}`;
}
