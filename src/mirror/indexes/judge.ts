/** What one index has to say about the items of a feed. */
export interface Judge {
  /** 0 for each item that the index takes, as far as that is known. */
  readonly marks: Uint8Array;
  /** Call it for the marked items in the order of the feed. Returns why the index refuses the item, or null. */
  readonly detail: (item: number) => string | null;
}

export interface Verdict {
  /** null if nothing is refused, as far as that is known. */
  readonly judge: Judge | null;
  /** False if the index may refuse an item all the same: the write finds that. */
  readonly isWhole: boolean;
}

export const allTaken: Verdict = { judge: null, isWhole: true };
