/** What outlives a primary: the operator hold, and the epoch below which nothing may be believed. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { QuiesceError } from '../../errors.ts';
import { writeDurably } from '../data-dir/durable.ts';
import type { OperatorHold } from './state.ts';

const stored = z.object({
  epoch: z.int().nonnegative(),
  operator: z
    .object({
      reason: z.string(),
      since: z.number(),
      until: z.number().nullable(),
      by: z.string().nullable().default(null),
    })
    .nullable(),
});
export type Stored = { epoch: number; operator: OperatorHold | null };

/** How long the first and the last of the waits before another try are, ms. */
const firstWait = 1_000;
const longestWait = 30_000;

/**
 * A write that fails (a full disk, say) changes nothing about the hold: it stands or is gone, as the operator wants it, and
 * `problem` says that a restart would not know. It is tried again until what is wanted is there.
 */
export class HoldFile {
  readonly #path: string;
  readonly #onProblem: (error: Error) => void;
  #writing: Promise<void> = Promise.resolve();
  #wanted: Stored | null = null;
  #problem: Error | null = null;
  #retry: NodeJS.Timeout | undefined;
  #wait = firstWait;

  /** @param onProblem called at the first of a row of failures */
  constructor(path: string, onProblem: (error: Error) => void = () => {}) {
    this.#path = path;
    this.#onProblem = onProblem;
  }

  /** Why what was saved last is not on the disk; null where it is. */
  get problem(): string | null {
    return this.#problem?.message ?? null;
  }

  /**
   * A hold whose time has passed while nobody was there is over.
   * @throws QuiesceError `data-dir-unusable`: guessing would open gates that an operator has shut
   */
  async load(now: number): Promise<Stored> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { epoch: 0, operator: null };
      throw this.#unusable(error);
    }
    try {
      const { epoch, operator } = stored.parse(JSON.parse(text));
      const over = typeof operator?.until === 'number' && operator.until <= now;
      this.#wanted = { epoch, operator: over ? null : operator };
      return this.#wanted;
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  /** Resolves when it is durable or could not be written, in the order of the calls. */
  save(state: Stored): Promise<void> {
    this.#wanted = state;
    return this.#write();
  }

  /** Resolves when what was saved last is durable, or could not be written once more. */
  async settled(): Promise<void> {
    await this.#writing;
    if (this.#problem !== null) await this.#write();
  }

  /** For a file that somebody has removed. */
  restore(): Promise<void> {
    return this.#wanted === null ? Promise.resolve() : this.#write();
  }

  /** As `settled`, and nothing is tried any more. */
  async close(): Promise<void> {
    await this.settled();
    clearTimeout(this.#retry);
  }

  #write(): Promise<void> {
    clearTimeout(this.#retry);
    this.#writing = this.#writing.then(async () => {
      try {
        await writeDurably(this.#path, `${JSON.stringify(this.#wanted)}\n`);
        this.#problem = null;
        this.#wait = firstWait;
      } catch (error) {
        if (this.#problem === null) this.#onProblem(error as Error);
        this.#problem = error as Error;
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => void this.#write(), this.#wait).unref();
        this.#wait = Math.min(2 * this.#wait, longestWait);
      }
    });
    return this.#writing;
  }

  #unusable(cause: unknown): QuiesceError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new QuiesceError(
      'data-dir-unusable',
      `The maintenance state in ${this.#path} cannot be read: ${why}. Repair or remove that file; without it the cluster starts serving.`,
      { cause },
    );
  }
}
