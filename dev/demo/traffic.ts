/** Visitors: each asks for /orders over a keep-alive connection of its own, again and again. */
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '../cluster/connection.ts';
import { now } from './clock.ts';

export interface Visit {
  readonly at: number;
  /** The HTTP status, or why there was no answer. */
  readonly outcome: number | string;
  readonly retryAfter: number | null;
  /** When the handler ran, by its own clock. */
  readonly handler: { readonly began: number; readonly ended: number } | null;
}

export class Traffic {
  readonly visits: Visit[] = [];
  #running = true;
  readonly #visitors: Promise<void>[];

  constructor(url: string, visitors: number) {
    this.#visitors = Array.from({ length: visitors }, () => this.#visit(url));
  }

  async #visit(url: string): Promise<void> {
    const connection = new Connection(url);
    while (this.#running) {
      this.visits.push(await ask(connection));
      // A visitor who reads the answer first; one that is refused asks again sooner than it was told to, to be seen.
      await delay(10 + Math.random() * 20);
    }
    await connection.close();
  }

  during(from: number, to: number): Visit[] {
    return this.visits.filter(({ at }) => at >= from && at <= to);
  }

  /** Resolves when every visitor has had the last answer. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#visitors);
  }
}

async function ask(connection: Connection): Promise<Visit> {
  const at = now();
  try {
    const { status, headers, text } = await connection.request('/orders');
    const retryAfter = headers['retry-after'];
    return {
      at,
      outcome: status,
      retryAfter: retryAfter === undefined ? null : Number(retryAfter),
      handler: status === 200 ? (JSON.parse(text) as Visit['handler']) : null,
    };
  } catch (error) {
    return { at, outcome: error instanceof Error ? error.message : String(error), retryAfter: null, handler: null };
  }
}
