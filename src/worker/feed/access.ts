/** Checks whether a client may send a feed. */
import type { IncomingMessage } from 'node:http';
import { bearerOf, isSameToken } from '../../bearer.ts';
import { QuiesceError } from '../../errors.ts';
import { foreignPage, hostOf, isLoopback, isThisMachine } from '../../same-machine.ts';

/**
 * With a token: `Authorization: Bearer <token>` (RFC 6750), compared in constant time. Without one: only requests over
 * the loopback interface, for this machine's own name, not through a proxy and not from a page of another origin.
 *
 * @throws QuiesceError `unauthorized` or `forbidden`
 */
export function authorize(req: IncomingMessage, token: string | null): void {
  if (token !== null) {
    const given = bearerOf(req.headers.authorization);
    if (given !== undefined && isSameToken(given, token)) return;
    const what = given === undefined ? 'Send the token as `Authorization: Bearer <token>`.' : 'The token is wrong.';
    throw new QuiesceError('unauthorized', `This needs the sync token. ${what}`);
  }
  const why = whyForeign(req);
  if (why !== null)
    throw new QuiesceError(
      'forbidden',
      `Without a sync token only local clients may do this, and this request ${why}. Set QUIESCE_SYNC_TOKEN.`,
    );
}

/**
 * Headers that proxies and the networks in front of them add. Behind a proxy, every client looks local.
 */
const proxyHeaders =
  /^(forwarded|via|x-real-ip|x-forwarded-.+|x-client-ip|x-cluster-client-ip|x-original-.+|x-envoy-.+|true-client-ip|cf-.+|fastly-.+|fly-.+)$/;

function whyForeign(req: IncomingMessage): string | null {
  if (!isLoopback(req.socket.remoteAddress)) return `is from ${String(req.socket.remoteAddress)}`;
  const proxy = Object.keys(req.headers).find((name) => proxyHeaders.test(name));
  if (proxy !== undefined) return `came through a proxy (${proxy})`;
  const hosts = req.headersDistinct?.['host'] ?? [];
  if (hosts.length > 1) return 'names more than one host';
  const host = hostOf(hosts[0]);
  if (host === undefined || !isThisMachine(host))
    return `is for the host ${JSON.stringify(hosts[0] ?? '')}, not localhost`;
  const page = foreignPage(req);
  return page === null ? null : `is from ${page}`;
}
