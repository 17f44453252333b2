/** Lets works run one after another, in the order in which they came. */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Resolves, or rejects, as `work` does.
   *
   * @param signal a work whose turn comes after the abort does not run: it rejects with the reason. By default each runs.
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = this.#last.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
