/**
 * Splits NDJSON into lines and skips lines of whitespace only. JSON text cannot contain an unescaped newline in a
 * string.
 */
import { isSpace, malformedJson } from './json-text.ts';
import { PendingText, type ItemSink, type Splitter } from './splitter.ts';

export class LineSplitter implements Splitter {
  readonly #sink: ItemSink;
  readonly #pending = new PendingText();
  #base = 0;
  #isEmpty = true;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    let start = 0;
    while (start < chunk.length) {
      const newline = chunk.indexOf(0x0a, start);
      const end = newline === -1 ? chunk.length : newline;
      let from = start;
      if (this.#pending.isEmpty) while (from < end && isSpace(chunk[from]!)) from++;
      if (newline === -1) this.#pending.add(chunk, from, end, this.#base);
      else if (!this.#pending.isEmpty) {
        this.#pending.add(chunk, from, end, this.#base);
        this.#pending.flush(this.#sink);
      } else if (from < end) this.#sink.item(chunk, from, end, this.#base);
      if (from < end) this.#isEmpty = false;
      start = end + 1;
    }
    this.#base += chunk.length;
  }

  end(): void {
    if (!this.#pending.isEmpty) this.#pending.flush(this.#sink);
    // An empty file is what a failed export looks like. To empty the collection on purpose, send [] as JSON.
    if (this.#isEmpty)
      throw malformedJson('it is empty; to empty the collection send [] as application/json', this.#base);
  }
}
