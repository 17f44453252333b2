/** The pass of an operator hold: a word that lets requests through, and the key that signs the cookies of its users. */
export interface Pass {
  readonly word: string;
  readonly key: string;
}

/** The allowed form of a word. It stands in a URL and in a header, and must be hard to guess. */
export const passWordAllowed = "8 to 128 of the characters a-z, A-Z, 0-9, '-' and '_'";

/** {@link passWordAllowed} as a pattern of JSON Schema. */
export const passWordPattern = String.raw`^[\w-]{8,128}$`;
const passWord = new RegExp(passWordPattern);

export function isPassWord(value: unknown): value is string {
  return typeof value === 'string' && passWord.test(value);
}

/** The links are below this path. No route of an app starts like this. */
export const passPath = '/.quiesce/';

/** The target for logs and answers, without the word of a link, which is a secret. */
export function withoutPass(target: string): string {
  return target.replace(/(\/\.quiesce\/)[^/?#]+/i, '$1…');
}
