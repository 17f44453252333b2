/** The transformed items, as a JSON array in a file of its own. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { QuiesceError } from '../../../errors.ts';

const batch = 1024 * 1024;

export class ItemFile {
  readonly #file: number;
  readonly #maxBytes: number;
  #text = '[';
  #bytes = 0;
  #isEmpty = true;

  constructor(path: string, maxBytes: number) {
    this.#file = openSync(path, 'wx', 0o600);
    this.#maxBytes = maxBytes;
  }

  /** @throws QuiesceError `payload-too-large` */
  add(json: string): void {
    this.#text += this.#isEmpty ? json : `,\n${json}`;
    this.#isEmpty = false;
    if (this.#text.length > batch) this.#write();
  }

  /** Writes the rest and syncs: the whole file would survive a power cut. */
  finish(): void {
    this.#text += ']';
    this.#write();
    fsyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(): void {
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes)
      throw new QuiesceError(
        'payload-too-large',
        `What transform makes of the feed is larger than the ${this.#maxBytes} bytes that are allowed (sync.max_bytes). Nothing was changed.`,
      );
    for (let offset = 0; offset < bytes.length;) offset += writeSync(this.#file, bytes, offset);
  }
}
