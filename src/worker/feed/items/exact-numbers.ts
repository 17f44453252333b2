/** Finds the number that JavaScript would change: `transform` gets JavaScript's numbers, and nothing is changed in silence. */

/** Null where every number of the text, which is valid JSON, is told by its own digits again. */
export function changedNumber(text: string): string | null {
  if (!/\d{16}|\d[eE]/.test(text)) return null; // the rest is exact, and nearly all items are
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)) {
    if (token.startsWith('"')) continue;
    const value = Number(token);
    if (!Number.isFinite(value)) return token;
    const isInteger = /^-?\d+$/.test(token);
    if (isInteger && !Number.isSafeInteger(value) && String(value) !== token) return token;
  }
  return null;
}
