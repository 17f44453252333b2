/** A keep-alive connection, which therefore reaches one and the same worker with every request. */
import { Client, type Dispatcher } from 'undici';
import { slotHeader } from './slot-header.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly slot: number;
}

export interface RequestOptions {
  readonly method?: Dispatcher.HttpMethod;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export class Connection {
  readonly #client: Client;
  /** The worker at the other end; known after the first answer. */
  slot = -1;

  constructor(url: string) {
    this.#client = new Client(url, { pipelining: 1, keepAliveTimeout: 60_000, headersTimeout: 0, bodyTimeout: 0 });
  }

  async request(path: string, { method = 'GET', headers = {}, body }: RequestOptions = {}): Promise<Answer> {
    const answer = await this.#client.request({ path, method, headers, body: body ?? null });
    const text = await answer.body.text();
    this.slot = Number(answer.headers[slotHeader] ?? -1);
    return { status: answer.statusCode, headers: answer.headers, text, slot: this.slot };
  }

  async close(): Promise<void> {
    await this.#client.destroy();
  }
}

const batch = 16;

/**
 * One connection to each of so many different workers. Which worker takes a connection is not ours to choose, so
 * connections are opened until enough workers have taken one.
 *
 * @param path answered by the app with the header of slot-header.ts.
 */
export async function connectToWorkers(url: string, count: number, path = '/livez'): Promise<Connection[]> {
  const deadline = Date.now() + 30_000;
  const bySlot = new Map<number, Connection>();
  const spare: Connection[] = [];
  try {
    while (bySlot.size < count) {
      if (Date.now() > deadline) throw new Error(`only ${bySlot.size} of ${count} workers take connections`);
      const opened = Array.from({ length: batch }, () => new Connection(url));
      spare.push(...opened);
      await Promise.all(opened.map((connection) => connection.request(path)));
      for (const connection of opened) if (!bySlot.has(connection.slot)) bySlot.set(connection.slot, connection);
    }
    return [...bySlot.values()].slice(0, count);
  } finally {
    const kept = new Set(bySlot.size >= count ? [...bySlot.values()].slice(0, count) : []);
    await Promise.all(spare.filter((connection) => !kept.has(connection)).map((connection) => connection.close()));
  }
}
