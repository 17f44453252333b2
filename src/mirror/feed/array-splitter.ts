/**
 * Splits a JSON array into its items at byte level, without building the array.
 *
 * States: start → (first value is no array: other, to the end) | value-or-end → item → after → value → item … → done.
 * It looks only at strings and brackets; the reader of the item checks that the item is well-formed.
 */
import { isSpace, malformedAt, malformedJson, misplaced } from './json-text.ts';
import { PendingText, type ItemSink, type Splitter } from './splitter.ts';

type State = 'start' | 'value-or-end' | 'value' | 'item' | 'after' | 'done' | 'other';

const quote = 0x22;
const backslash = 0x5c;

export class ArraySplitter implements Splitter {
  readonly #sink: ItemSink;
  #state: State = 'start';
  /** The position of the current chunk in the feed. */
  #base = 0;
  #depth = 0;
  #inString = false;
  /** The last byte was a backslash inside a string. */
  #escaped = false;
  /** The item is neither a container nor a string: it ends at a delimiter. */
  #bare = false;
  readonly #pending = new PendingText();

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  /** The array has ended. */
  get isDone(): boolean {
    return this.#state === 'done';
  }

  push(chunk: Buffer): void {
    let pos = this.take(chunk, 0, this.#base);
    while (pos < chunk.length) pos = this.#between(chunk, pos);
    this.#base += chunk.length;
  }

  /** Takes the chunk from `start` on, as far as the array goes, and returns where that is. `base`: of the chunk. */
  take(chunk: Buffer, start: number, base: number): number {
    this.#base = base;
    let pos = start;
    while (pos < chunk.length && this.#state !== 'done') {
      if (this.#state === 'item') pos = this.#scanItem(chunk, pos);
      else if (this.#state === 'other') {
        this.#pending.add(chunk, pos, chunk.length, this.#base);
        pos = chunk.length;
      } else pos = this.#between(chunk, pos);
    }
    return pos;
  }

  end(): void {
    switch (this.#state) {
      case 'done':
        return;
      case 'other':
        return this.#pending.flush(this.#sink, 'notAnArray');
      case 'start':
        throw malformedJson('it is empty; an empty feed is []', this.#base);
      case 'value-or-end':
      case 'value':
      case 'item':
      case 'after':
        throw malformedAt('it is cut off: the array does not end', this.#base);
    }
  }

  #between(chunk: Buffer, at: number): number {
    let pos = at;
    while (pos < chunk.length && isSpace(chunk[pos]!)) pos++;
    if (pos === chunk.length) return pos;
    const byte = chunk[pos]!;
    switch (this.#state) {
      case 'start':
        this.#state = byte === 0x5b ? 'value-or-end' : 'other';
        return byte === 0x5b ? pos + 1 : pos;
      case 'after':
        if (byte === 0x2c) this.#state = 'value';
        else if (byte === 0x5d) this.#state = 'done';
        else this.#fail(byte, pos, 'where a comma or “]” should be');
        return pos + 1;
      case 'value-or-end':
        if (byte === 0x5d) {
          this.#state = 'done';
          return pos + 1;
        }
        return this.#startItem(byte, pos);
      case 'done':
        return this.#fail(byte, pos, 'behind the end of the array');
      default:
        return this.#startItem(byte, pos);
    }
  }

  #startItem(byte: number, pos: number): number {
    if (byte === 0x2c || byte === 0x5d || byte === 0x7d || byte === 0x3a)
      this.#fail(byte, pos, 'where an item should be');
    this.#state = 'item';
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#bare = byte !== 0x7b && byte !== 0x5b && byte !== quote;
    return pos;
  }

  /** Scans from `start`, the begin of the item or of the chunk; returns the end of the item or of the chunk. */
  #scanItem(chunk: Buffer, start: number): number {
    const { length } = chunk;
    let pos = start;
    let depth = this.#depth;
    let inString = this.#inString;
    let ended = false;
    if (this.#escaped) {
      pos++;
      this.#escaped = false;
    }
    while (pos < length && !ended) {
      if (inString) {
        let byte = 0;
        while (pos < length && (byte = chunk[pos]!) !== quote && byte !== backslash) pos++;
        if (pos === length) break;
        if (byte === backslash) {
          if (pos + 1 === length) this.#escaped = true;
          pos = Math.min(pos + 2, length);
        } else {
          inString = false;
          pos++;
          ended = depth === 0;
        }
        continue;
      }
      const byte = chunk[pos]!;
      if (byte === quote) inString = true;
      else if (byte === 0x7b || byte === 0x5b) depth++;
      else if (byte === 0x7d || byte === 0x5d) {
        if (depth > 0) ended = --depth === 0;
        else if (this.#bare) break;
      } else if (this.#bare && depth === 0 && (byte === 0x2c || isSpace(byte))) break;
      pos++;
    }
    this.#depth = depth;
    this.#inString = inString;
    if (ended || (this.#bare && depth === 0 && pos < length && !inString)) this.#emit(chunk, start, pos);
    else this.#pending.add(chunk, start, pos, this.#base);
    return pos;
  }

  #emit(chunk: Buffer, start: number, end: number): void {
    this.#state = 'after';
    if (this.#pending.isEmpty) return this.#sink.item(chunk, start, end, this.#base);
    this.#pending.add(chunk, start, end, this.#base);
    this.#pending.flush(this.#sink);
  }

  #fail(byte: number, pos: number, where: string): never {
    throw misplaced(byte, where, this.#base + pos);
  }
}
