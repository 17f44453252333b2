/** Where an address may be broken into lines: browsers know no place in one, and would break it in the middle of a word. */

/** A part that is longer than this is broken at its dots and dashes, too. */
const longestPart = 32;
/** With a scheme, or a path of several parts. */
const address = /:\/\/|^[("'`]?\/[^/]+\//;

/** The pieces of a text; an address is broken between two of them only. */
export function piecesOf(text: string): string[] {
  const words = text.split(/(?<=[ \n])/);
  if (!words.some((word) => address.test(word))) return [text];
  return words.flatMap((word) => {
    if (!address.test(word)) return [word];
    const parts = word.split(/(?<=[^/:("'`][/&])(?![/&])/);
    return parts.flatMap((part) => (part.length > longestPart ? part.split(/(?<=[._-])(?![._-])/) : [part]));
  });
}
