/** The way in that an operator hold may have: a word that opens it, and the key that signs the cookies of those who came by it. */
export interface Pass {
  readonly word: string;
  readonly key: string;
}

/** Of a word. It stands in a URL and in a header, and nobody should guess it. */
export const passWordAllowed = "8 to 128 of the characters a-z, A-Z, 0-9, '-' and '_'";

export function isPassWord(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{8,128}$/.test(value);
}

/** Below it are the links. No route of an app begins like this. */
export const passPath = '/.quiesce/';

/** What may be shown of a target: a link's word is nobody else's to read. */
export function withoutPass(target: string): string {
  return target.replace(/(\/\.quiesce\/)[^/?#]+/i, '$1…');
}
