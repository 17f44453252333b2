/**
 * Collects the faults of a feed: how many there are, and the texts of the first ones. A feed with very many faults is
 * not read to its end: a gigabyte of faults would take a quarter of an hour.
 */
import { QuiesceError } from '../../errors.ts';
import { maxItemText } from './splitter.ts';

/** How many faults are reported with their text; the others are only counted. */
export const toldFaults = 20;
const mostFaults = 100_000;

export const oversizedItem: string = `the item is longer than ${maxItemText / 1024 / 1024} MiB of text`;

/** The error for a feed that is JSON, but no array. */
export function notAnArray(): QuiesceError {
  const errors = [{ pointer: '', detail: 'the feed has to be an array of objects' }];
  return new QuiesceError(
    'invalid-feed',
    'The feed is invalid: it has to be an array of objects. Nothing was changed.',
    { extra: { errors, errorCount: 1 } },
  );
}

export class FeedFaults {
  count = 0;
  readonly #at: string;
  readonly #first: { pointer: string; detail: string }[] = [];

  /** @param at the pointer to the array of items */
  constructor(at: string = '') {
    this.#at = at;
  }

  /**
   * @param pointer from the array of items on
   * @throws QuiesceError `invalid-feed` if there are too many faults to continue
   */
  add(pointer: string, detail: string): void {
    this.count++;
    if (this.#first.length < toldFaults) this.#first.push({ pointer: `${this.#at}${pointer}`, detail });
    if (this.count === mostFaults) this.check();
  }

  /** @throws QuiesceError `invalid-feed` if there is a fault */
  check(): void {
    if (this.count === 0) return;
    const { pointer, detail } = this.#first[0]!;
    const rest = this.count < mostFaults ? '' : ', and the rest was not read';
    const more = this.count === 1 ? '' : ` (and ${this.count - 1} more${rest})`;
    throw new QuiesceError(
      'invalid-feed',
      `The feed is invalid: ${pointer || 'as a whole'}: ${detail}${more}. Nothing was changed.`,
      {
        extra: { errors: this.#first, errorCount: this.count },
      },
    );
  }
}
