/** Keeps one MongoClient open between runs for each connection string and timeout. */
import { MongoClient } from 'mongodb';
import { mirrorUri, uriFault } from '../../config/values/mongodb-uri.ts';
import { QuiesceError } from '../../errors.ts';

const longestWait = 5000;

/**
 * How long one command may wait for an answer, ms. A server that is killed or stopped can leave a connection open that
 * never delivers an answer. The driver's monitor notices most of them within 15 s; this limit is for the others.
 */
const socketTimeoutMS = 60_000;

/** A run needs three at the same time: to wait for changes, to read or write, and for other commands. */
const mostConnections = 10;

/** Acknowledged writes must survive a crash of the server and a failover. */
export const majority = { w: 'majority', journal: true } as const;

export class Clients {
  readonly #clients = new Map<string, MongoClient>();

  /**
   * `timeout`: how long, in ms, the database may be gone. One operation gives up after at most 5 s and is tried again.
   */
  get(uri: string, timeout: number): MongoClient {
    const wait = Math.min(timeout, longestWait);
    const key = `${wait} ${uri}`;
    let client = this.#clients.get(key);
    if (!client) {
      client = openClient(uri, wait);
      this.#clients.set(key, client);
    }
    return client;
  }

  async close(): Promise<void> {
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    await Promise.allSettled(clients.map((client) => client.close()));
  }
}

/** `timeout`: how long, in ms, an operation waits for a server. */
export function openClient(uri: string, timeout: number): MongoClient {
  const fault = uriFault(uri);
  if (fault !== null)
    throw new QuiesceError('bad-config', `The connection string of MongoDB cannot be used: ${fault}.`);
  return new MongoClient(mirrorUri(uri), {
    appName: 'quiesce-mirror',
    readPreference: 'primary',
    readConcern: { level: 'local' },
    writeConcern: majority,
    maxPoolSize: mostConnections,
    serverSelectionTimeoutMS: timeout,
    connectTimeoutMS: timeout,
    socketTimeoutMS,
    retryWrites: true,
  });
}
