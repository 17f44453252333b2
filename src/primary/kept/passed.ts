/**
 * Sockets that the service manager listens on for the app (sd_listen_fds(3)), and this primary has inherited from its
 * keeper. Of each this tells where it listens, so that it is used where the app listens there.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { QuiesceError } from '../../errors.ts';
import type { AppConfig } from '../../config.ts';
import type { Handle, SocketName } from '../../protocol/keeper/messages.ts';

export interface PassedSocket {
  /** For messages. */
  readonly text: string;
  readonly handle: Handle;
  isOf(name: SocketName): boolean;
}

/** The first one: standard streams and the channel to the keeper come before. */
const first = 4;
const anyAddress: readonly (string | null | undefined)[] = [null, '0.0.0.0', '::'];

interface Opened extends Handle {
  getpeername?(address: object): number;
}

export interface Passing {
  /** Their names. */
  readonly passed: readonly string[];
  readonly isOneOfSeveral: boolean;
}

/** @throws QuiesceError `bad-usage` where no worker could serve them */
export function inheritedSockets(
  { passed, isOneOfSeveral }: Passing,
  { scheduling }: Pick<AppConfig, 'scheduling'>,
): PassedSocket[] {
  if (passed.length === 0) return [];
  if (scheduling === 'rr')
    throw refused("With scheduling: 'rr' the primary binds sockets of its own", "Use scheduling: 'os'");
  if (isOneOfSeveral)
    throw refused('The file has several apps, and each socket is for one of them', 'Start each app with --only');
  return passed.map((name, index) => inherited(name, first + index));
}

function inherited(name: string, fd: number): PassedSocket {
  const { _createServerHandle: make } = net as unknown as {
    _createServerHandle: (address: null, port: null, addressType: null, fd: number) => Opened | number;
  };
  const handle = make(null, null, null, fd);
  const what = `Socket ${name}`;
  const remedy = 'ListenStream= with Accept=no is what a worker can serve';
  if (typeof handle === 'number') throw refused(`${what} is neither TCP nor a Unix stream socket`, remedy);
  if (handle.getsockname !== undefined) {
    const at: { address?: string; port?: number } = {};
    handle.getsockname(at);
    if (handle.getpeername?.({}) === 0) throw refused(`${what} is a connection`, remedy);
    const { address, port = 0 } = at;
    return {
      text: `${name} (${address?.includes(':') === true ? `[${address}]` : address}:${port})`,
      handle,
      isOf: (wanted) =>
        wanted.addressType !== -1 &&
        wanted.port === port &&
        (wanted.address === address || (anyAddress.includes(wanted.address) && anyAddress.includes(address))),
    };
  }
  const found = unixSocket(fd);
  if (found?.isListening !== true) throw refused(`${what} does not listen`, remedy);
  return {
    text: `${name} (${found.path.replace(/^\0/, '@')})`,
    handle,
    isOf: ({ address, addressType }) => addressType === -1 && address !== null && resolved(address) === found.path,
  };
}

function resolved(address: string): string {
  return address.startsWith('\0') ? address : path.resolve(address);
}

/** What proc_net(5) says of it; undefined for what is no listening or connected Unix socket. */
function unixSocket(fd: number): { path: string; isListening: boolean } | undefined {
  const accepts = 0x10000; // __SO_ACCEPTCON
  const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`)) ?? [];
  for (const line of readFileSync('/proc/self/net/unix', 'utf8').split('\n')) {
    const [, , , flags = '', , , own] = line.split(/ +/);
    if (own === undefined || own !== inode) continue;
    // All that follows: a path may have blanks in it.
    const name = line.slice(line.indexOf(` ${own}`) + own.length + 2);
    return { path: name.replace(/^@/, '\0'), isListening: (Number.parseInt(flags, 16) & accepts) !== 0 };
  }
  return undefined;
}

/** `null` where the app listens on each of them. */
export function whyUnserved(unserved: readonly PassedSocket[]): QuiesceError | null {
  if (unserved.length === 0) return null;
  const which = unserved.map(({ text }) => text).join(', ');
  const remedy =
    'Make ListenStream= and the address that the app listens on the same, or remove the socket from the unit';
  return refused(`The app does not listen on ${which}, so connections would wait there for ever`, remedy);
}

function refused(what: string, remedy: string): QuiesceError {
  const by = 'The service manager passes sockets to the app (LISTEN_FDS), and they cannot be served.';
  return new QuiesceError('bad-usage', `${by} ${what}. ${remedy}.`);
}
