/** Writes a systemd socket unit for an app: systemd listens for it, from boot on and while the app is stopped. */
import net from 'node:net';
import path from 'node:path';
import type { AppConfig } from '../../config.ts';
import type { StartupPlan } from './plan.ts';
import { plainText } from './systemd.ts';
import { QuiesceError } from '../../errors.ts';

/** What systemd.socket(5) takes beside an IP address: `3000` is every address. */
const written = /^(?:(?<port>\d+)|(?<host>[\d.]+|\[[\da-f:.]+\]):(?<portOfHost>\d+))$/i;
/** With these, an address need not be one that the machine has already. */
const alwaysThere: readonly string[] = ['0.0.0.0', '::', '127.0.0.1', '::1'];

export interface SocketUnit {
  readonly unit: string;
  /** Whether the app has no HOST, so that the address is assumed. */
  readonly isAssumed: boolean;
}

/**
 * @param given an address, as `ListenStream=` takes it; null for the PORT and HOST of the app
 * @throws QuiesceError `bad-usage` where systemd cannot listen there, or the app cannot use the socket
 */
export function socketUnit({ app }: Pick<StartupPlan, 'app'>, given: string | null): SocketUnit {
  if (app.scheduling !== 'os')
    throw refused(`With scheduling: '${app.scheduling}' the primary binds sockets of its own`, "Use scheduling: 'os'");
  const addresses = given === null ? addressesOf(app) : [given];
  const kinds = addresses.map(kindOf);
  const lines = [
    '[Unit]',
    `Description=The socket of ${plainText(app.name)}, run by quiesce`,
    '',
    '[Socket]',
    '# Where the app listens, one line for each address. The app does not start if it does not listen on one of them.',
    ...addresses.map((address) => `ListenStream=${plainText(address)}`),
    ...(kinds.includes('path')
      ? ['# Everybody may connect, unless SocketUser=, SocketGroup= and SocketMode= say who.']
      : []),
    ...(kinds.includes('own')
      ? ['# The machine may get this address later than systemd listens.', 'FreeBind=yes']
      : []),
    '',
    '[Install]',
    'WantedBy=sockets.target',
  ];
  const isAssumed = given === null && !app.env['HOST'] && !kinds.includes('path');
  return { unit: `${lines.join('\n')}\n`, isAssumed };
}

/** `own`: an address of this machine, which it need not have yet. */
function kindOf(address: string): 'path' | 'own' | 'any' {
  const { port, host, portOfHost = port } = written.exec(address)?.groups ?? {};
  if (/^[/@]./.test(address) && !address.includes('\n')) return 'path';
  const ip = host?.replaceAll(/[[\]]/g, '');
  const isPort = Number(portOfHost) >= 1 && Number(portOfHost) <= 65_535;
  if (isPort && (ip === undefined || net.isIP(ip) !== 0))
    return ip === undefined || alwaysThere.includes(ip) ? 'any' : 'own';
  throw refused(
    `systemd cannot listen on ${address}`,
    '--socket takes a port, an IP address with a port, such as 127.0.0.1:3000 or [::1]:3000, or the path of a Unix socket. A file stands before it',
  );
}

function addressesOf({ env, cwd, incrementVar, instances }: AppConfig): string[] {
  const port = env['PORT'];
  const host = env['HOST'] || '127.0.0.1';
  if (!port)
    throw refused(
      'The configuration has no PORT, so that it is not known where the app listens',
      'Give the address: --socket 127.0.0.1:3000',
    );
  if (port.includes('/')) return [path.resolve(cwd, port)];
  if (net.isIP(host) === 0)
    throw refused(
      `HOST is ${host}, and systemd listens on IP addresses only`,
      'Set HOST to one, or give the address: --socket 127.0.0.1:3000',
    );
  const ports = incrementVar === 'PORT' ? Array.from({ length: instances }, (_, slot) => Number(port) + slot) : [port];
  return ports.map((each) => `${net.isIPv6(host) ? `[${host}]` : host}:${each}`);
}

function refused(what: string, remedy: string): QuiesceError {
  return new QuiesceError('bad-usage', `No socket unit: ${what}. ${remedy}.`);
}
