/**
 * The TCP side of the admin server. It is optional: if its port is in use at the start, the site runs without it, and
 * the log says so. A reload moves it: it listens at both addresses until the reload has succeeded or failed.
 */
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { AppConfig } from '../../config.ts';
import { QuiesceError } from '../../errors.ts';
import { closeServer, opened } from './listening.ts';

type Address = NonNullable<AppConfig['admin']>;

/** A prepared change: exactly one of the two must be called. */
export interface Move {
  commit(): void;
  undo(): Promise<void>;
}

interface Listening {
  readonly server: http.Server;
  readonly address: Address;
  readonly url: string;
}

/** The limit exists because each event stream costs the primary a write at each change. */
const mostConnections = 256;
const nothing: Move = { commit: () => {}, undo: () => Promise.resolve() };

export class AdminTcp {
  readonly #answer: (host: string) => RequestListener;
  readonly #log: Pick<Logger, 'info' | 'warn' | 'error'>;
  #current: Listening | null = null;

  /** @param answer makes the request handler for an address of this host */
  constructor(answer: (host: string) => RequestListener, log: Pick<Logger, 'info' | 'warn' | 'error'>) {
    this.#answer = answer;
    this.#log = log;
  }

  /** For example `http://127.0.0.1:9615`; null if nothing listens. */
  get url(): string | null {
    return this.#current?.url ?? null;
  }

  async start(address: Address): Promise<void> {
    try {
      this.#current = await this.#listen(address);
      this.#log.info({ url: this.#current.url }, 'The dashboard is up');
    } catch (error) {
      this.#log.warn(
        { code: (error as NodeJS.ErrnoException).code },
        `No dashboard on ${nameOf(address)}: ${(error as Error).message}. Set quiesce.admin.port to a free port, or quiesce.admin to false`,
      );
    }
  }

  /**
   * Listens at `next` too. If `next` is null, prepares to stop listening.
   * @throws QuiesceError `port-in-use`: it still listens where it did
   */
  async prepare(next: Address | null): Promise<Move> {
    const old = this.#current;
    if (next === null ? old === null : old !== null && nameOf(next) === nameOf(old.address)) return nothing;
    const found = next === null ? null : await this.#beside(old, next);
    const end = (ended: Listening | null): Promise<void> =>
      ended === null ? Promise.resolve() : closeServer(ended.server);
    return {
      commit: () => {
        this.#current = found;
        if (found !== null) this.#log.info({ url: found.url }, 'The dashboard has moved');
        void end(old); // the answer to the reload request may still be sent there
      },
      undo: async () => {
        // Starts first: both may have the same port, and it is free as soon as the new server is closed.
        const ended = end(found);
        // The old server has stopped listening only if both have the same port.
        if (old?.server.listening === false) await bind(old.server, old.address).catch(this.#failed);
        await ended;
      },
    };
  }

  async close(): Promise<void> {
    if (this.#current !== null) await closeServer(this.#current.server);
  }

  async #beside(old: Listening | null, next: Address): Promise<Listening> {
    try {
      return await this.#listen(next);
    } catch (error) {
      const isOurs = old !== null && (error as NodeJS.ErrnoException).code === 'EADDRINUSE' && samePort(old, next);
      if (!isOurs) throw inUse(next, error);
      // For example 127.0.0.1 and 0.0.0.0 with the same port. Existing connections go on.
      old.server.close();
      try {
        return await this.#listen(next);
      } catch (again) {
        await bind(old.server, old.address).catch(this.#failed);
        throw inUse(next, again);
      }
    }
  }

  async #listen(address: Address): Promise<Listening> {
    const server = http.createServer(this.#answer(address.host));
    server.maxConnections = mostConnections;
    const url = await bind(server, address);
    server.on('error', this.#failed);
    return { server, address, url };
  }

  readonly #failed = (err: unknown): void => this.#log.error({ err }, 'The admin server has a problem and goes on');
}

function samePort({ url }: Listening, { port }: Address): boolean {
  return Number(new URL(url).port) === port;
}

function inUse(address: Address, cause: unknown): QuiesceError {
  return new QuiesceError(
    'port-in-use',
    `The admin server cannot listen on ${nameOf(address)}: ${(cause as Error).message}. Set quiesce.admin.port to a free port. Nothing was changed.`,
    { cause },
  );
}

function nameOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

async function bind(server: http.Server, { host, port }: Address): Promise<string> {
  const listening = opened(server);
  server.listen({ host, port, exclusive: true });
  await listening;
  const address = server.address() as AddressInfo;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
