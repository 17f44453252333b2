/** What the user of the connection string may do, asked of MongoDB before anything is paused. */
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
  /** Empty for every collection of the database, which is also where its collections are listed. */
  readonly collection: string;
}

/** What each of them takes, in the mirrored database. */
export const rightsFor = {
  reading: (collection: string): Right[] => [
    { actions: ['listCollections'], collection: '' },
    { actions: ['find'], collection },
    { actions: ['find', 'insert', 'update'], collection: fenceCollection },
  ],
  writing: (collection: string): Right[] => [{ actions: ['insert', 'update', 'remove'], collection }],
  /** The copy has a name of its own each time. */
  swap: (collection: string): Right[] => [
    { actions: ['listIndexes'], collection },
    { actions: ['find', 'insert', 'createIndex', 'dropCollection'], collection: '' },
  ],
};

/** Those that are missing, in words; none where nobody has to log in, or MongoDB does not tell. */
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

/** @throws QuiesceError `run-failed`, naming what is missing */
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

/** Why a strategy is given up, for the run's notes. */
export function lackOf(error: MongoServerError): string {
  return `MongoDB refused: ${plainMessage(error)}`;
}
