/** Stores what outlives a primary: the operator hold, the scheduled one, and the epoch (older epochs are stale). */
import { readFile } from 'node:fs/promises';
import * as z from '../../../vendor/zod.ts';
import { QuiesceError } from '../../../errors.ts';
import { pass } from '../../../protocol/hold/pass-schema.ts';
import { writeDurably } from '../../data-dir/durable.ts';
import { begunHold } from '../../../protocol/hold/operator-hold.ts';
import type { Stored } from '../machine/durable-hold.ts';
import type { ScheduledHold } from '../machine/state.ts';

const stored = z.object({
  epoch: z.int().nonnegative(),
  operator: z
    .object({
      reason: z.string(),
      since: z.number(),
      until: z.number().nullable(),
      by: z.string().nullable().default(null),
      pass: pass.optional(),
    })
    .nullable(),
  scheduled: z
    .object({
      at: z.number(),
      lasts: z.number().positive().nullable(),
      reason: z.string().nullable(),
      by: z.string().nullable(),
      pass: pass.optional(),
    })
    .nullable()
    .default(null),
});
export interface Loaded extends Stored {
  /** A scheduled hold whose whole time passed while no primary ran. */
  readonly missed: ScheduledHold | null;
}

const nothing: Stored = { epoch: 0, operator: null, scheduled: null };

/** The shortest and the longest wait before another attempt, ms. */
const firstWait = 1_000;
const longestWait = 30_000;

/**
 * A failed write (a full disk, for example) changes nothing about the hold: it stands or is gone, as the operator
 * wants, and `problem` says that a restart would not know it. The write is tried again until it succeeds.
 */
export class HoldFile {
  readonly #path: string;
  readonly #onProblem: (error: Error) => void;
  #writing: Promise<void> = Promise.resolve();
  #wanted: Stored | null = null;
  #problem: Error | null = null;
  #retry: NodeJS.Timeout | undefined;
  #wait = firstWait;

  /** @param onProblem called at the first failure in a row */
  constructor(path: string, onProblem: (error: Error) => void = () => {}) {
    this.#path = path;
    this.#onProblem = onProblem;
  }

  /** Why the last saved state is not on the disk; null if it is. */
  get problem(): string | null {
    return this.#problem?.message ?? null;
  }

  /**
   * A hold that ended while no primary ran is gone, and one that was scheduled for that time has started.
   * @throws QuiesceError `data-dir-unusable`: a guess might open gates that an operator has shut
   */
  async load(now: number): Promise<Loaded> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { ...nothing, missed: null };
      throw this.#unusable(error);
    }
    try {
      const { missed, ...wanted } = asOf(now, stored.parse(JSON.parse(text)));
      this.#wanted = wanted;
      return { ...wanted, missed };
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  /** Resolves when the state is durable or could not be written, in the order of the calls. */
  save(state: Stored): Promise<void> {
    this.#wanted = state;
    return this.#write();
  }

  /** Resolves when the last saved state is durable, or another attempt has failed. */
  async settled(): Promise<void> {
    await this.#writing;
    if (this.#problem !== null) await this.#write();
  }

  /** As `settled`. @throws QuiesceError `insufficient-storage` if it could not be written */
  async durable(): Promise<void> {
    await this.settled();
    if (this.#problem === null) return;
    const what = `The operator hold cannot be written (${this.#problem.message}), and another primary would not know of it.`;
    throw new QuiesceError('insufficient-storage', what, { cause: this.#problem });
  }

  /** Writes the file again after it was removed. */
  restore(): Promise<void> {
    return this.#wanted === null ? Promise.resolve() : this.#write();
  }

  /** As `settled`, and ends the attempts. */
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

function asOf(now: number, { epoch, operator, scheduled }: Stored): Loaded {
  const over = typeof operator?.until === 'number' && operator.until <= now;
  const standing = over ? null : operator;
  if (scheduled === null || scheduled.at > now) return { epoch, operator: standing, scheduled, missed: null };
  const begun = begunHold(scheduled, standing, now);
  return { epoch, operator: begun ?? standing, scheduled: null, missed: begun === null ? scheduled : null };
}
