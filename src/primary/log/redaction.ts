/** Removes the password from each connection string in a line of the log, just before the line is written. */

/**
 * `://user:password@host`: a password ends at the `@` and contains none of these characters unescaped (RFC 3986). The
 * pattern does not include the scheme: the search would start again at each letter of a long word.
 */
const credentials = /(:\/\/[^\s/:@"'\\]*):[^\s/@"'\\]+@/g;

export function withoutCredentials(line: string): string {
  return line.includes('://') ? line.replaceAll(credentials, '$1:***@') : line;
}
