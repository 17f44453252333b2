/** The calls of one host to MongoDB: which have no answer yet, whether the last one failed, and what the server's clock said. */
import type { HostOptions } from './host-options.ts';
import { clock } from '../monotonic.ts';

export class Calls {
  readonly #pending = new Set<Promise<unknown>>();
  readonly #log: HostOptions['log'];
  readonly #stopped: AbortSignal;
  #trouble: string | null = null;
  #serverNow = 0;
  #serverNowAt = 0;

  /** @param stopped aborted if what fails from now on is not worth a word */
  constructor(log: HostOptions['log'], stopped: AbortSignal) {
    this.#log = log;
    this.#stopped = stopped;
  }

  /** The error of the last call, or why this host cannot join; null if there is neither. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** The estimated time of MongoDB's clock, ms. */
  get serverNow(): number {
    return this.#serverNow + clock() - this.#serverNowAt;
  }

  send<T>(call: Promise<T>): Promise<T> {
    const done: Promise<unknown> = call
      .catch(() => {}) // whoever waits for the call handles it
      .finally(() => this.#pending.delete(done));
    this.#pending.add(done);
    return call;
  }

  /** Resolves when every call so far has an answer, or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  succeeded(): void {
    this.#trouble = null;
  }

  failed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#trouble === null && !this.#stopped.aborted)
      this.#log.warn({ err: error }, `a write to the cluster document in MongoDB failed and is sent again: ${message}`);
    this.#trouble = message;
  }

  /** It was answered, and this host cannot join. */
  isBarred(why: string): void {
    this.#trouble = why;
  }

  notedTime(now: number): void {
    this.#serverNow = now;
    this.#serverNowAt = clock();
  }
}
