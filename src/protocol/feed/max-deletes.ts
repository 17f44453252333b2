/** Parses how many documents a feed may delete, as a setting, an option, a query and a flag give it. */

/** A share of the collection, such as `50%`. */
export const share = /^(100(\.0+)?|\d{1,2}(\.\d+)?)%$/;

/** A number of documents, or a {@link share} of the collection. */
export type MaxDeletes = number | string;

export const maxDeletesWords = "a number of documents, or a share of the collection such as '50%'";

/** Undefined if it is neither a number nor a share. */
export function parseMaxDeletes(text: string): MaxDeletes | undefined {
  if (share.test(text)) return text;
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(count) ? count : undefined;
}
