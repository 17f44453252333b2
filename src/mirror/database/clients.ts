/** One MongoClient for each connection string that the thread has met, kept open between runs. */
import { MongoClient } from 'mongodb';

const longestWait = 5000;

/**
 * How long one command may stay without an answer. A server that is killed or stopped can leave a connection open that
 * nothing will ever come through. The driver's monitor notices within 15 s; this is for what it does not see.
 */
const socketTimeoutMS = 60_000;

export class Clients {
  readonly #clients = new Map<string, MongoClient>();

  /** `timeout`: how long, in ms, the database may be gone; an operation gives up sooner, to be tried again. */
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
  return new MongoClient(uri, {
    appName: 'quiesce-mirror',
    serverSelectionTimeoutMS: timeout,
    connectTimeoutMS: timeout,
    socketTimeoutMS,
    retryWrites: true,
  });
}
