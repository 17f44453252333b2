/** Who may send a feed. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { QuiesceError } from '../../errors.ts';

/**
 * With a token: `Authorization: Bearer <token>` (RFC 6750), compared in constant time. Without one: only clients on the
 * loopback interface, and not through a proxy, behind which everybody looks local.
 *
 * @throws QuiesceError `unauthorized` or `forbidden`
 */
export function authorize(req: IncomingMessage, token: string | null): void {
  if (token !== null) {
    const given = /^Bearer +(\S+) *$/i.exec(req.headers.authorization ?? '')?.[1];
    if (given !== undefined && equal(given, token)) return;
    const what = given === undefined ? 'Send the token as `Authorization: Bearer <token>`.' : 'The token is wrong.';
    throw new QuiesceError('unauthorized', `This needs the sync token. ${what}`);
  }
  const forwarded = req.headers.forwarded ?? req.headers['x-forwarded-for'];
  if (isLoopback(req.socket.remoteAddress) && forwarded === undefined) return;
  const from = forwarded === undefined ? String(req.socket.remoteAddress) : 'a client behind a proxy';
  throw new QuiesceError(
    'forbidden',
    `Without a sync token only local clients may do this, and this request is from ${from}. Set QUIESCE_SYNC_TOKEN.`,
  );
}

export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address);
}

/** Hashing first makes the lengths equal, so that not even they leak. */
function equal(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
