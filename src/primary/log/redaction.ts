/** The last look at a line of the log: a connection string in it, whoever wrote it there, loses its password. */

/**
 * `://user:password@host`: a password ends at the `@`, and has none of these characters unescaped (RFC 3986). Without the
 * scheme: an expression that looks for its first letter starts anew at each letter of a long word.
 */
const credentials = /(:\/\/[^\s/:@"'\\]*):[^\s/@"'\\]+@/g;

export function withoutCredentials(line: string): string {
  return line.includes('://') ? line.replaceAll(credentials, '$1:***@') : line;
}
