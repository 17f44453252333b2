/** Handles a feed item by item: checks that it is JSON, calls the app's functions, collects the faults. */
import { QuiesceError } from '../../../errors.ts';
import { BsonOutput } from '../../../mirror/bson/output.ts';
import { FeedFaults, notAnArray, oversizedItem } from '../../../mirror/feed/feed-faults.ts';
import { readFeedBytes } from '../../../mirror/feed/feed-source.ts';
import { JsonText, refused } from '../../../mirror/feed/json-text.ts';
import { JsonToBson } from '../../../mirror/feed/json-to-bson.ts';
import { itemsAt, splitterOf } from '../../../mirror/feed/splitter-of.ts';
import { maxItemText, type ItemSink } from '../../../mirror/feed/splitter.ts';
import { changedNumber } from './exact-numbers.ts';
import { ItemFile } from './item-file.ts';
import { messageOf, type LoadedSteps } from './load.ts';
import type { ItemJob } from './messages.ts';
import type { Fault } from './validator.ts';
import { isThenable } from '../../gate/events/attempt.ts';
import { shortened } from '../../../shortened.ts';

interface Item {
  readonly index: number;
  readonly value: unknown;
}

/**
 * @param at receives the index of the current item
 * @throws QuiesceError with the faults of the feed, or of its items
 */
export async function workOnItems(
  feed: NonNullable<ItemJob['feed']>,
  { transform, validate }: LoadedSteps,
  at: Int32Array,
): Promise<void> {
  const faults = new FeedFaults(itemsAt(feed));
  const file = transform === null ? null : new ItemFile(feed.target, feed.maxBytes);
  const reader = new ItemReader(faults, transform !== null);
  const splitter = splitterOf(feed, reader);

  const transformed = (index: number, value: unknown): unknown => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isObject) return value;
    const what = value === undefined ? 'nothing' : JSON.stringify(value);
    faults.add(`/${index}`, `transform has to return an object, and returned ${short(what)}`);
    return undefined;
  };
  const checked = (index: number, value: unknown, found: readonly Fault[]): void => {
    for (const { pointer, detail } of found) faults.add(`/${index}${pointer}`, short(detail));
    if (file === null || faults.count > 0) return;
    const json = JSON.stringify(value) as string | undefined;
    if (json === undefined) faults.add(`/${index}`, 'transform returned what is no JSON');
    else file.add(json);
  };
  const workOn = async ({ index, value }: Item): Promise<void> => {
    at[0] = index;
    try {
      let result = value;
      if (transform !== null) {
        result = transform(value, index);
        if (isThenable(result)) result = await result;
        result = transformed(index, result);
        if (result === undefined) return;
      }
      const found = validate === null ? [] : validate(result);
      checked(index, result, isThenable(found) ? await found : found);
    } catch (error) {
      if (error instanceof QuiesceError) throw error;
      const who =
        transform !== null && validate !== null
          ? 'transform or validate'
          : transform === null
            ? 'validate'
            : 'transform';
      faults.add(`/${index}`, `${who} failed: ${short(messageOf(error))}`);
    }
  };
  const workOff = async (): Promise<void> => {
    for (const item of reader.take()) await workOn(item);
  };

  try {
    const { signal } = new AbortController();
    await readFeedBytes(
      feed,
      async (chunk) => {
        splitter.push(chunk);
        await workOff();
      },
      signal,
    );
    splitter.end();
    await workOff();
    faults.check();
    file?.finish();
  } finally {
    file?.close();
  }
}

const short = (text: string): string => shortened(text, 300);

/** Parses the items of a chunk. What the mirror would refuse as JSON is refused here, with the same text. */
class ItemReader implements ItemSink {
  readonly #faults: FeedFaults;
  readonly #mustBeExact: boolean;
  readonly #text = new JsonText();
  readonly #converter = new JsonToBson(new BsonOutput(maxItemText), false);
  #items: Item[] = [];
  #next = 0;

  constructor(faults: FeedFaults, mustBeExact: boolean) {
    this.#faults = faults;
    this.#mustBeExact = mustBeExact;
  }

  /** The items since the last call. */
  take(): Item[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  item(bytes: Buffer, start: number, end: number, base: number): void {
    const index = this.#next++;
    if (!this.#isJson(bytes, start, end, base, index)) return;
    const json = bytes.toString('utf8', start, end);
    const changed = this.#mustBeExact ? changedNumber(json) : null;
    if (changed !== null)
      return this.#faults.add(`/${index}`, `transform would change the number ${short(changed)}; send it as a string`);
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.#faults.add(`/${index}`, 'an item has to be an object');
    this.#items.push({ index, value });
  }

  oversized(): void {
    this.#faults.add(`/${this.#next++}`, oversizedItem);
  }

  notAnArray(bytes: Buffer, start: number, end: number, base: number): void {
    this.#isJson(bytes, start, end, base, 0); // throws if it is not JSON at all
    throw notAnArray();
  }

  /** @throws QuiesceError `malformed-json` */
  #isJson(bytes: Buffer, start: number, end: number, base: number, index: number): boolean {
    Object.assign(this.#text, { bytes, pos: start, end, base });
    try {
      this.#text.requireUtf8();
      this.#converter.convert(this.#text);
      return true;
    } catch (error) {
      if (error !== refused) throw error;
      this.#faults.add(`/${index}${this.#converter.pointer()}`, this.#text.refusal);
      return false;
    }
  }
}
