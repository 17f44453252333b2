/**
 * Finds a number that JavaScript would change: `transform` gets JavaScript's numbers, and nothing may change silently.
 */

/** The first number of the text, which is valid JSON, that would change; null if none would. */
export function changedNumber(text: string): string | null {
  if (!/\d{16}|\d[eE]/.test(text)) return null; // all other numbers are exact, and nearly all items have only these
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)) {
    if (token.startsWith('"')) continue;
    const value = Number(token);
    if (!Number.isFinite(value)) return token;
    const isInteger = /^-?\d+$/.test(token);
    if (isInteger && !Number.isSafeInteger(value) && String(value) !== token) return token;
  }
  return null;
}
