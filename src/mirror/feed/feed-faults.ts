/** Collects what is wrong with the items of a feed: how many faults, and the first of them word for word. */
import { QuiesceError } from '../../errors.ts';

/** So many are told; the rest is only counted. */
export const toldFaults = 20;

export class FeedFaults {
  count = 0;
  readonly #first: { pointer: string; detail: string }[] = [];

  add(pointer: string, detail: string): void {
    this.count++;
    if (this.#first.length < toldFaults) this.#first.push({ pointer, detail });
  }

  /** @throws QuiesceError `invalid-feed` where there is a fault */
  check(): void {
    if (this.count === 0) return;
    const { pointer, detail } = this.#first[0]!;
    const more = this.count === 1 ? '' : ` (and ${this.count - 1} more)`;
    throw new QuiesceError(
      'invalid-feed',
      `The feed is invalid: ${pointer || 'as a whole'}: ${detail}${more}. Nothing was changed.`,
      {
        extra: { errors: this.#first, errorCount: this.count },
      },
    );
  }
}
