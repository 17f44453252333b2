/** Keeps documents in a file and finds them by number. */
import { DocumentFile } from './document-file.ts';

export class DocumentList {
  length = 0;
  readonly #file: DocumentFile;
  /** The position of each document, and as last entry the position of the next one. */
  #starts = new Float64Array(256);

  constructor(path: string) {
    this.#file = new DocumentFile(path);
  }

  /** Returns the document's number. */
  push(bytes: Uint8Array, start: number, end: number): number {
    if (this.length + 1 === this.#starts.length) {
      const larger = new Float64Array(this.#starts.length * 2);
      larger.set(this.#starts);
      this.#starts = larger;
    }
    const at = this.#file.append(bytes, start, end);
    this.#starts[this.length++] = at;
    this.#starts[this.length] = at + end - start;
    return this.length - 1;
  }

  /** Returns the document, valid until the next call. */
  at(index: number): Buffer {
    const start = this.#starts[index]!;
    return this.#file.read(start, this.#starts[index + 1]! - start);
  }

  close(): void {
    this.#file.close();
  }
}
