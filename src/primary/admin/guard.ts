/**
 * The checks of a request over TCP. The danger is a browser on this machine: any page in it can send requests to
 * loopback, and with DNS rebinding even under a host name of its own. So `Host` must be one of ours, `Origin`, if
 * present, must be that same host, and a change needs the token, which no page can know.
 */
import type { Request, RequestHandler } from 'express';
import net from 'node:net';
import os from 'node:os';
import { carriesToken } from './token.ts';
import { QuiesceError } from '../../errors.ts';
import { hostOf } from '../../host-header.ts';

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
    if (isForeign(request)) {
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
  if (host === 'localhost' || host === bound.toLowerCase() || host === os.hostname().toLowerCase()) return true;
  const address = request.socket.localAddress?.replace(/^::ffff:/, '');
  return net.isIP(host) !== 0 && (host === address || isLoopback(host));
}

function isLoopback(address: string): boolean {
  return address === '::1' || (net.isIPv4(address) && address.startsWith('127.'));
}

function isForeign(request: Request): boolean {
  const { origin } = request.headers;
  if (origin !== undefined) {
    const host = URL.canParse(origin) ? new URL(origin).host : undefined;
    return host !== request.headers.host?.toLowerCase();
  }
  const site = request.headers['sec-fetch-site'];
  // `same-site` would let http://localhost:3000, the app, control its supervisor.
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}
