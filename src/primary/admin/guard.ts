/**
 * The checks of a request over TCP: `Host` must be one of ours, a page must be of that same host, and a change needs the
 * token, which no page can know. {@link isThisMachine} and {@link foreignPage} say why.
 */
import type { Request, RequestHandler } from 'express';
import { carriesToken } from './token.ts';
import { QuiesceError } from '../../errors.ts';
import { foreignPage, hostOf, isThisMachine } from '../../same-machine.ts';

/** The result of the checks. */
export interface Locals {
  /** The request carries the token, or came over the control socket, which needs none. */
  trusted?: boolean;
}

export function guardTcp(options: { token: string; host: string }): RequestHandler {
  return (request, response, next) => {
    // RFC 9112, section 3.2. Node uses the first; a proxy in front may have checked the other.
    if ((request.headersDistinct.host?.length ?? 0) > 1) {
      throw new QuiesceError('bad-request', 'The request names more than one host.');
    }
    if (!isOurs(request, options.host)) {
      throw new QuiesceError(
        'forbidden',
        `The host ${request.headers.host ?? '(none)'} is not this admin server's; call it by its address.`,
      );
    }
    if (foreignPage(request) !== null) {
      throw new QuiesceError('forbidden', 'A page of another origin may not call the admin server.');
    }
    const trusted = carriesToken(request.headers.authorization, options.token);
    const change = request.method !== 'GET' && request.method !== 'HEAD';
    if (change && !trusted) {
      throw new QuiesceError(
        'unauthorized',
        'A change needs `Authorization: Bearer` with the token in admin.token of the data directory.',
      );
    }
    (response.locals as Locals).trusted = trusted;
    next();
  };
}

/** The port is not compared: an SSH tunnel or a published container port changes it. */
function isOurs(request: Request, bound: string): boolean {
  const host = hostOf(request.headers.host);
  if (host === undefined) return false;
  if (host === bound.toLowerCase() || isThisMachine(host)) return true;
  return host === request.socket.localAddress?.replace(/^::ffff:/, '');
}
