import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient, type Db, type Document } from 'mongodb';
import { startMongo, type DevMongo } from '../../../../dev/mongodb/index.ts';

export interface AuthMongo {
  /** As root. */
  readonly root: MongoClient;
  /** The connection string of a new user who has these privileges in a database of his own, and that database. */
  userWith(privileges: (db: string) => Document[]): Promise<{ uri: string; db: Db }>;
}

/** In a `describe`: a mongod under `--auth`, where everybody has to log in. */
export function useAuthMongo(): AuthMongo {
  let folder: string;
  let mongo: DevMongo;
  let root: MongoClient;
  let users = 0;
  const as = (user: string): string => mongo.uri.replace('://', `://${user}:secret@`);

  before('a mongod under --auth', async function () {
    this.timeout(120_000);
    folder = await mkdtemp(join(tmpdir(), 'quiesce-auth-'));
    const keyFile = join(folder, 'key');
    await writeFile(keyFile, 'quiesce0', { mode: 0o600 });
    // The first user is made while nobody has to log in.
    const open = await startMongo({ dataDir: folder });
    const client = new MongoClient(open.uri);
    await client.db('admin').command({ createUser: 'root', pwd: 'secret', roles: ['root'] });
    await client.close();
    await open.stop();
    const port = Number(/:(\d+)\//.exec(open.uri)![1]);
    mongo = await startMongo({ dataDir: folder, port, args: ['--auth', '--keyFile', keyFile] });
    root = new MongoClient(`${as('root')}&authSource=admin`);
  });
  after('it ended', async function () {
    this.timeout(60_000);
    await root?.close();
    await mongo?.kill();
    await mongo?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    get root() {
      return root;
    },
    async userWith(privileges) {
      const name = `shop${++users}`;
      const db = root.db(name);
      await db.command({ createRole: 'mirror', privileges: privileges(name), roles: [] });
      await db.command({ createUser: 'mirror', pwd: 'secret', roles: ['mirror'] });
      return { uri: `${as('mirror')}&authSource=${name}`, db };
    },
  };
}
