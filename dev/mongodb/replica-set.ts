/** Makes a lone mongod the primary of a replica set of one, so that transactions and change streams work. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, MongoServerError, type Db } from 'mongodb';

export const replicaSet = 'rs0';
const pollEvery = 25;
const unauthorized = 13;

export interface Watched {
  readonly port: number;
  /** Throws where mongod has ended, so that nobody waits for it any longer. */
  readonly assertRunning: () => void;
  /** In ms. */
  readonly timeout: number;
}

/** Resolves when the server takes writes. */
export async function becomePrimary({ port, assertRunning, timeout }: Watched): Promise<void> {
  const deadline = Date.now() + timeout;
  const until = async (condition: () => Promise<boolean>, what: string): Promise<void> => {
    while (!(await condition())) {
      assertRunning();
      if (Date.now() > deadline) throw new Error(`mongod ${what} within ${timeout} ms`);
      await delay(pollEvery);
    }
  };
  await until(() => accepts(port), 'did not listen');
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`);
  try {
    const admin = client.db('admin');
    await configure(admin, `127.0.0.1:${port}`);
    await until(
      async () => (await admin.command({ hello: 1 }))['isWritablePrimary'] === true,
      'was not elected primary',
    );
  } finally {
    await client.close();
  }
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

/** Initiates a new data folder; gives one that was kept its new address, where the port has changed. */
async function configure(admin: Db, host: string): Promise<void> {
  const stored = await admin.client
    .db('local')
    .collection('system.replset')
    .findOne({}, { readPreference: 'nearest' })
    .catch((error: unknown) => {
      // A folder in which somebody has made users: its replica set is there already.
      if (error instanceof MongoServerError && error.code === unauthorized) return undefined;
      throw error;
    });
  if (stored === undefined) return;
  if (stored === null) {
    await admin.command({ replSetInitiate: { _id: replicaSet, members: [{ _id: 0, host }] } });
    return;
  }
  if (stored['members'][0].host === host) return;
  const config = { ...stored, version: stored['version'] + 1, members: [{ ...stored['members'][0], host }] };
  await admin.command({ replSetReconfig: config, force: true });
}

/** An orderly end: everything flushed. The server answers by closing the connection. */
export async function shutDown(port: number): Promise<void> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 2000,
  });
  try {
    await client.db('admin').command({ shutdown: 1, force: true, timeoutSecs: 1 });
  } catch (error) {
    if (error instanceof MongoServerError) throw error;
  } finally {
    await client.close();
  }
}
