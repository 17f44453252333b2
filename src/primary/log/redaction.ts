/** The last look at a line of the log: a connection string in it, whoever wrote it there, loses its password. */

/** `scheme://user:password@host`: a password ends at the `@`, and has none of these characters unescaped (RFC 3986). */
const credentials = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@"'\\]*):[^\s/@"'\\]+@/gi;

export function withoutCredentials(line: string): string {
  return line.includes('://') ? line.replaceAll(credentials, '$1:***@') : line;
}
