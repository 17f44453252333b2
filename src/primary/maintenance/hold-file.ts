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

export class HoldFile {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
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
      return { epoch, operator: over ? null : operator };
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  /** Durable when it resolves; in the order of the calls. */
  save(state: Stored): Promise<void> {
    const write = (): Promise<void> => writeDurably(this.#path, `${JSON.stringify(state)}\n`);
    const writing = this.#writing.then(write);
    this.#writing = writing.catch(() => {});
    return writing;
  }

  /** Resolves when what was saved is there, or has failed. */
  flush(): Promise<void> {
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
