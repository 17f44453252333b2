/** One MongoClient for each connection string that the thread has met, kept open between runs. */
import { MongoClient } from 'mongodb';

export class Clients {
  readonly #clients = new Map<string, MongoClient>();

  /** `timeout`: how long, in ms, an operation waits for a server. */
  get(uri: string, timeout: number): MongoClient {
    const key = `${timeout} ${uri}`;
    let client = this.#clients.get(key);
    if (!client) {
      client = openClient(uri, timeout);
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

export function openClient(uri: string, timeout: number): MongoClient {
  return new MongoClient(uri, {
    appName: 'quiesce-mirror',
    serverSelectionTimeoutMS: timeout,
    connectTimeoutMS: timeout,
    maxPoolSize: 4,
    retryWrites: true,
  });
}
