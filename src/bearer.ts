/** Reads bearer tokens (RFC 6750) and compares them in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Returns the token of an `Authorization` header. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
}

/** Takes the same time wherever the first difference is. Hashing first makes the lengths equal, so they do not leak. */
export function isSameToken(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
