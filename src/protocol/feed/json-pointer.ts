/** JSON Pointers, RFC 6901. */

export const itemsWords = "a JSON Pointer such as '/data/products'";

/** Returns the names on the path, none for the whole document; null if the text is no JSON Pointer. */
export function pointerTokens(pointer: string): string[] | null {
  if (!/^(\/([^~/]|~[01])*)*$/.test(pointer)) return null;
  const [, ...tokens] = pointer.split('/');
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function isPointer(text: string): boolean {
  return pointerTokens(text) !== null;
}

/** Returns the pointer to what is at this path. */
export function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
