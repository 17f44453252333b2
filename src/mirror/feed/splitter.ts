/** The common parts of the two splitters, which find the begin and the end of each item in the chunks of a feed. */

/** The text of a longer item is not kept. With escapes, JSON takes up to six times as many bytes as BSON. */
export const maxItemText = 64 * 1024 * 1024;

export interface ItemSink {
  /**
   * Takes the text of an item: `bytes` from `start` to `end`, valid only during the call. `base` is the position of
   * `bytes[0]` in the feed.
   */
  item(bytes: Buffer, start: number, end: number, base: number): void;
  /** An item longer than {@link maxItemText}, whose text was not kept. */
  oversized(): void;
  /** The feed is one value that is not an array. */
  notAnArray(bytes: Buffer, start: number, end: number, base: number): void;
}

export interface Splitter {
  push(chunk: Buffer): void;
  /** @throws QuiesceError `malformed-json` if the feed is cut off or empty */
  end(): void;
}

/** Collects the text of an item that extends over several chunks. */
export class PendingText {
  #parts: Buffer[] = [];
  #length = 0;
  #base = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  add(bytes: Buffer, start: number, end: number, base: number): void {
    if (start === end) return;
    if (this.#length === 0) this.#base = base + start;
    this.#length += end - start;
    if (this.#length > maxItemText) this.#parts = [];
    // A copy: the chunk may be overwritten, and a reference to a few of its bytes would keep the whole chunk in memory.
    else this.#parts.push(Buffer.from(bytes.subarray(start, end)));
  }

  /** Passes the joined text to the sink and starts again. */
  flush(sink: ItemSink, as: 'item' | 'notAnArray' = 'item'): void {
    const text = this.#length > maxItemText ? null : Buffer.concat(this.#parts, this.#length);
    const base = this.#base;
    this.#parts = [];
    this.#length = 0;
    if (text === null) sink.oversized();
    else sink[as](text, 0, text.length, base);
  }
}
