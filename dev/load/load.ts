/**
 * Traffic on a server: so many connections, each with one request after the other, as a browser or a load
 * balancer's pool would send them. Nothing is sent twice, so every request that fails is seen.
 */
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';

export interface LoadOptions {
  readonly url: string;
  /** Requested in turn. Default `['/']`. */
  readonly paths?: readonly string[];
  readonly connections: number;
  /** False opens a connection for every request. Default true. */
  readonly keepAlive?: boolean;
  /** A request that has no whole answer after so many ms has failed with `unanswered`. Default 10,000. */
  readonly timeout?: number;
  /** ms between an answer and the next request of a connection. Default 0. */
  readonly pause?: number;
  /**
   * Called with the status or the error's code of each request, when it began and ended (`Date.now()`), and how long, in
   * ms, after the one before it on its connection it was sent; null where that is unknown, or where it is the first.
   */
  readonly onOutcome?: (outcome: number | string, began: number, ended: number, interval: number | null) => void;
}

export interface LoadReport {
  /** Whole answers. */
  readonly answered: number;
  readonly byStatus: Readonly<Record<number, number>>;
  /** Requests without a whole answer, by the error's code. */
  readonly failures: Readonly<Record<string, number>>;
  readonly failed: number;
  /** ms from the start to the end of the traffic. */
  readonly duration: number;
  /** ms; of all requests, failed ones included. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
}

export class Load {
  readonly #options: Required<LoadOptions>;
  readonly #byStatus: Record<number, number> = {};
  readonly #failures: Record<string, number> = {};
  readonly #latencies: number[] = [];
  readonly #loops: Promise<void>[];
  readonly #startedAt = performance.now();
  #next = 0;
  #stopped = false;

  /** Starts at once. */
  constructor(options: LoadOptions) {
    this.#options = { paths: ['/'], keepAlive: true, timeout: 10_000, pause: 0, onOutcome: () => {}, ...options };
    this.#loops = Array.from({ length: options.connections }, () => this.#loop());
  }

  get answered(): number {
    return Object.values(this.#byStatus).reduce((sum, count) => sum + count, 0);
  }

  /** Lets the requests in flight finish. */
  async stop(): Promise<LoadReport> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const at = (share: number): number =>
      round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
    return {
      answered: this.answered,
      byStatus: this.#byStatus,
      failures: this.#failures,
      failed: Object.values(this.#failures).reduce((sum, count) => sum + count, 0),
      duration: round(performance.now() - this.#startedAt),
      latency: { p50: at(0.5), p99: at(0.99), max: at(1) },
    };
  }

  async #loop(): Promise<void> {
    const { keepAlive, pause, paths, timeout, url, onOutcome } = this.#options;
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    let last: number | null = null;
    while (!this.#stopped) {
      const path = paths[this.#next++ % paths.length]!;
      const since = performance.now();
      const began = Date.now();
      const outcome = await get(new URL(path, url), agent, timeout);
      this.#latencies.push(performance.now() - since);
      onOutcome(outcome, began, Date.now(), last === null ? null : since - last);
      last = keepAlive && typeof outcome === 'number' ? since : null;
      if (typeof outcome === 'number') this.#byStatus[outcome] = (this.#byStatus[outcome] ?? 0) + 1;
      else {
        this.#failures[outcome] = (this.#failures[outcome] ?? 0) + 1;
        await new Promise((resolve) => setTimeout(resolve, 5)); // a closed port must not make a busy loop
      }
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
    agent.destroy();
  }
}

/** The status of a whole answer, or the code of what went wrong. */
function get(url: URL, agent: Agent, timeout: number): Promise<number | string> {
  return new Promise((resolve) => {
    const req = request(url, { agent, signal: AbortSignal.timeout(timeout) }, (res) => {
      res.resume();
      res.once('end', () => resolve(res.complete ? (res.statusCode ?? 0) : 'truncated'));
      res.once('error', fail);
      res.once('close', () => resolve('truncated'));
    });
    const fail = (error: NodeJS.ErrnoException): void =>
      resolve(error.name === 'AbortError' ? 'unanswered' : (error.code ?? error.message));
    req.once('error', fail);
    req.end();
  });
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
