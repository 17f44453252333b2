/** A list of integers that grows, in a typed array: a plan may have millions of entries. */

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

  /** Keeps the entries for which `stays` returns true. */
  filter(stays: (value: number, index: number) => boolean): void {
    const values = this.#values;
    let kept = 0;
    for (let i = 0; i < this.length; i++) if (stays(values[i]!, i)) values[kept++] = values[i]!;
    this.length = kept;
  }
}
