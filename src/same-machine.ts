/**
 * Checks of a request that only this machine may send. A browser on it is the danger: any page in it can send requests to
 * loopback, and with DNS rebinding even under a host name of its own, which needs no preflight. So `Host` must name this
 * machine, and a page must be of that same host.
 */
import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import os from 'node:os';

/** The host without its port, which a tunnel or a container may change; undefined if the header names no host. */
export function hostOf(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:/@?#\s]+))(?::\d{1,5})?$/i.exec(header ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/** Only names and addresses of this machine: the owner of any other name can point it to a loopback address. */
export function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === os.hostname().toLowerCase() || isLoopback(host);
}

export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && net.isIP(address) !== 0 && /^(::ffff:)?127\.|^::1$/.test(address);
}

/** The page of another origin that sends the request; null if no page does, or one of the same host. */
export function foreignPage({ headers }: Pick<IncomingMessage, 'headers'>): string | null {
  const { origin } = headers;
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== headers.host?.toLowerCase()))
    return `a page of ${JSON.stringify(origin)}`;
  const site = headers['sec-fetch-site'];
  // `same-site` would let http://localhost:3000, the app, control its supervisor.
  return site === undefined || site === 'same-origin' || site === 'none' ? null : 'a page of another site';
}
