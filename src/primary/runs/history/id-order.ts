/** Ids in their order. One that is new comes last nearly always, so the order is kept and not made at each look. */
export class IdOrder {
  readonly #ids: string[] = [];

  /** Does nothing for one that is there. */
  add(id: string): void {
    const at = this.#placeOf(id);
    if (this.#ids[at] !== id) this.#ids.splice(at, 0, id);
  }

  /** Does nothing for one that is not there. */
  remove(id: string): void {
    const at = this.#placeOf(id);
    if (this.#ids[at] === id) this.#ids.splice(at, 1);
  }

  get newest(): string | null {
    return this.#ids.at(-1) ?? null;
  }

  oldestFirst(): readonly string[] {
    return this.#ids;
  }

  *newestFirst(): Iterable<string> {
    for (let at = this.#ids.length - 1; at >= 0; at--) yield this.#ids[at]!;
  }

  /** Of the first that is not before it. */
  #placeOf(id: string): number {
    let [from, to] = [0, this.#ids.length];
    if (to === 0 || this.#ids[to - 1]! < id) return to;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#ids[middle]! < id) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
