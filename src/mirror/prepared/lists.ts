/** Lists that grow, of numbers and of keys, as plain bytes: a plan may hold millions of either. */
import { Elements } from '../bson/elements.ts';

export class IntList {
  length = 0;
  #values = new Int32Array(256);

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index]!;
  }
}

/** `_id` elements, copied one behind the other. */
export class KeyList {
  length = 0;
  readonly #offsets = new IntList();
  #bytes: Buffer = Buffer.allocUnsafe(4096);
  #used = 0;
  readonly #element = new Elements(this.#bytes, 0);

  push({ bytes, start, end }: Elements): void {
    const size = end - start;
    if (this.#used + size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#used + size, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes.subarray(start, end), this.#used);
    this.#offsets.push(this.#used);
    this.#used += size;
    this.length++;
  }

  /** Valid until the next call. */
  at(index: number): Elements {
    const element = this.#element;
    element.bytes = this.#bytes;
    element.end = this.#offsets.at(index);
    element.next();
    return element;
  }
}
