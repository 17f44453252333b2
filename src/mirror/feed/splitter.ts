/** What the two splitters share: both find where each item of a feed begins and ends, a chunk at a time. */

/** An item whose text is longer is not kept: with escapes, JSON takes up to six times what BSON does. */
export const maxItemText = 64 * 1024 * 1024;

export interface ItemSink {
  /** The item's text, `bytes` from `start` to `end`; `base` is where in the feed `bytes[0]` lies. Valid during the call only. */
  item(bytes: Buffer, start: number, end: number, base: number): void;
  /** An item longer than {@link maxItemText}, whose text was not kept. */
  oversized(): void;
  /** The feed is one value that is no array. */
  notAnArray(bytes: Buffer, start: number, end: number, base: number): void;
}

export interface Splitter {
  push(chunk: Buffer): void;
  /** @throws QuiesceError `malformed-json` where the feed is cut off */
  end(): void;
}

/** The text of an item that reaches over several chunks. */
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
    // A copy: the chunk may be written over, and would be kept whole for a few bytes of it.
    else this.#parts.push(Buffer.from(bytes.subarray(start, end)));
  }

  /** Hands the text to the sink, joined, and starts anew. */
  flush(sink: ItemSink, as: 'item' | 'notAnArray' = 'item'): void {
    const text = this.#length > maxItemText ? null : Buffer.concat(this.#parts, this.#length);
    const base = this.#base;
    this.#parts = [];
    this.#length = 0;
    if (text === null) sink.oversized();
    else sink[as](text, 0, text.length, base);
  }
}
