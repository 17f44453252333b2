/** One MongoDB for each process of mocha, started when the first test asks for it; a database of its own per test. */
import { randomBytes } from 'node:crypto';
import { MongoClient, type Db } from 'mongodb';
import { startMongo, type DevMongo } from '../../../../dev/mongodb/index.ts';

let server: Promise<DevMongo> | undefined;
let client: MongoClient | undefined;

export async function mongo(): Promise<DevMongo> {
  server ??= startMongo();
  return server;
}

/** A crash test has a server of its own: the others use this one at the same time. */
export interface TestDatabase {
  readonly uri: string;
  readonly name: string;
  readonly db: Db;
}

/** An empty one; see {@link discard}. */
export async function newDatabase(): Promise<TestDatabase> {
  const { uri } = await mongo();
  client ??= new MongoClient(uri);
  const name = `quiesce_test_${randomBytes(6).toString('hex')}`;
  return { uri, name, db: client.db(name) };
}

/** A server that is thrown away need not be tidied up. */
export async function discard(database: TestDatabase | undefined): Promise<void> {
  if ((await mongo()).source === 'env') await database?.db.dropDatabase();
}

/** In a `describe`: each of its tests finds an empty database here. */
export function useDatabase(): TestDatabase {
  let current: TestDatabase | undefined;
  beforeEach('an empty database', async function () {
    this.timeout(120_000);
    current = await newDatabase();
  });
  afterEach('its database dropped', async () => {
    await discard(current);
    current = undefined;
  });
  const get = (): TestDatabase => {
    if (current === undefined) throw new Error('there is a database during a test only');
    return current;
  };
  return {
    get uri() {
      return get().uri;
    },
    get name() {
      return get().name;
    },
    get db() {
      return get().db;
    },
  };
}

/** A process that runs one file after the other (`--parallel`) hears of the end of this one only: its MongoDB goes with it. */
const isOneOfSeveral = process.env['MOCHA_WORKER_ID'] !== undefined;
after('MongoDB stopped', async function () {
  this.timeout(30_000);
  if (isOneOfSeveral) return;
  await client?.close();
  await (await server)?.stop();
});
