/**
 * Lets requests pass a gate that only an operator holds: from a browser that opened the link, with the word, or from an
 * address that the configuration allows. The primary says whether any request may: never while a run holds the gates.
 *
 * The key belongs to the hold. So a cookie of another app, or of a hold that has ended, has a wrong signature.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { isSameToken } from '../../../bearer.ts';
import { passPath, type Pass } from '../../../protocol/hold/pass.ts';
import type { Runtime } from '../../process/runtime.ts';
import { plainPathOf } from '../routes/target.ts';

type WayIn = Pick<Runtime, 'gate' | 'allow'>;

/** Admits a request that may pass and calls `next`, or answers it if it is the link. False if it is neither. */
export function passes(runtime: WayIn, req: IncomingMessage, res: ServerResponse, next: () => void): boolean {
  const { gate } = runtime;
  const way = gate.wayIn;
  if (way === null) return false;
  const { secret } = way;
  if (secret !== null && isLink(req, secret)) {
    giveCookie(res, secret);
    return true;
  }
  if (!mayPass(runtime, req) || gate.enterHeld(req, res) === undefined) return false;
  next();
  return true;
}

/** Whether the request passes the gate as it is now. The link itself does not. */
export function mayPass({ gate, allow }: WayIn, req: IncomingMessage): boolean {
  const way = gate.wayIn;
  return way !== null && ((way.secret !== null && isKnown(req, way.secret)) || isAllowed(req, allow));
}

/** The addresses and networks (CIDR) of `maintenance.allow`. */
export function allowedFrom(networks: readonly string[]): BlockList | null {
  if (networks.length === 0) return null;
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = familyOf(address);
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** The cookie has another name for each hold: apps on one host share their cookies, whatever their ports. */
export function passCookie({ key }: Pass): { readonly name: string; readonly value: string } {
  const id = randomBytes(12).toString('base64url');
  return { name: cookieName(key), value: `${id}.${sign(key, id)}` };
}

export function isSigned(key: string, value: string): boolean {
  const [id = '', signature = '', ...more] = value.split('.');
  return more.length === 0 && id !== '' && isSameToken(signature, sign(key, id));
}

function isKnown({ headers }: IncomingMessage, { word, key }: Pass): boolean {
  const given = headers['quiesce-pass'];
  if (typeof given === 'string' && isSameToken(given, word)) return true;
  const name = `${cookieName(key)}=`;
  const cookies = (headers.cookie ?? '').split(';').map((each) => each.trim());
  return cookies.some((each) => each.startsWith(name) && isSigned(key, each.slice(name.length)));
}

function isLink(req: IncomingMessage, { word }: Pass): boolean {
  if (req.method !== 'GET') return false;
  const path = plainPathOf(req);
  return path?.startsWith(passPath) === true && isSameToken(path.slice(passPath.length), word);
}

function giveCookie(res: ServerResponse, secret: Pass): void {
  const { name, value } = passCookie(secret);
  res.writeHead(303, {
    Location: '/',
    'Set-Cookie': `${name}=${value}; HttpOnly; SameSite=Lax; Path=/`,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'Content-Length': 0,
  });
  res.end();
}

/**
 * Uses the address that Express determines for the client, if there is one. In a forwarded request, the address of the
 * connection is not the client's and does not count: an allowed proxy would let everybody in.
 */
function isAllowed(req: IncomingMessage, allow: BlockList | null): boolean {
  if (allow === null) return false;
  const { remoteAddress } = req.socket;
  const ip = (req as { ip?: string }).ip ?? remoteAddress;
  if (ip === undefined || isIP(ip) === 0) return false;
  const isForwarded = req.headers['x-forwarded-for'] !== undefined || req.headers.forwarded !== undefined;
  return !(isForwarded && ip === remoteAddress) && allow.check(ip, familyOf(ip));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

function cookieName(key: string): string {
  return `quiesce-pass-${sign(key, 'name').slice(0, 8)}`;
}

function sign(key: string, what: string): string {
  return createHmac('sha256', key).update(`quiesce-pass\0${what}`).digest('base64url');
}
