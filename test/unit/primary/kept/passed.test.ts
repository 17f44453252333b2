import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { inheritedSockets } from '#quiesce/primary/kept/passed.js';
import { scratchFolders } from '../../scratch.ts';

/** Inherits sockets as a primary does, and prints what it finds for each of `wanted`. */
const child = `
  const { inheritedSockets } = await import(${JSON.stringify(import.meta.resolve('#quiesce/primary/kept/passed.js'))});
  try {
    const passed = process.env.NAMES.split(':');
    const found = inheritedSockets({ passed, isOneOfSeveral: false }, { scheduling: 'os' });
    const wanted = JSON.parse(process.env.WANTED);
    console.log(JSON.stringify(found.map((each) => [each.text, wanted.map((name) => each.isOf(name))])));
  } catch (error) {
    console.log(JSON.stringify(error.message));
  }
  process.disconnect();`;

interface Name {
  readonly address: string | null;
  readonly port: number;
  readonly addressType: number;
  readonly flags: number;
}

const fdOf = (of: object): number => (of as { _handle: { fd: number } })._handle.fd;

describe('sockets that a service manager has passed', () => {
  const scratch = scratchFolders();
  const open: { close(): unknown }[] = [];
  afterEach(() => {
    for (const each of open.splice(0)) each.close();
  });

  async function listening(where: net.ListenOptions): Promise<net.Server> {
    const server = net.createServer((connection) => void open.push({ close: () => connection.destroy() }));
    open.push(server.listen(where));
    await once(server, 'listening');
    return server;
  }

  async function inherited(fds: Readonly<Record<string, number>>, wanted: readonly Name[] = []): Promise<unknown> {
    const env = { ...process.env, NAMES: Object.keys(fds).join(':'), WANTED: JSON.stringify(wanted) };
    const { stdout } = spawn(process.execPath, ['--input-type=module', '-e', child], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc', ...Object.values(fds)],
      env,
    });
    return JSON.parse(await text(stdout!));
  }

  it('are of the addresses that they listen on: TCP of one or of all, and Unix', async () => {
    const path = join(scratch(), 'app.sock');
    const [web, all, unix] = [
      await listening({ port: 0, host: '127.0.0.1' }),
      await listening({ port: 0, host: '0.0.0.0' }),
      await listening({ path }),
    ];
    const [one, any] = [web, all].map((server) => (server.address() as net.AddressInfo).port) as [number, number];
    const name = (address: string | null, port: number, addressType = 4): Name => ({
      address,
      port,
      addressType,
      flags: 0,
    });
    const found = await inherited({ web: fdOf(web), all: fdOf(all), unix: fdOf(unix) }, [
      name('127.0.0.1', one),
      name(null, one),
      name('127.0.0.1', any),
      name(null, any),
      name('::', any, 6),
      name(path, -1, -1),
    ]);
    expect(found).to.deep.equal([
      [`web (127.0.0.1:${one})`, [true, false, false, false, false, false]],
      [`all (0.0.0.0:${any})`, [false, false, false, true, true, false]],
      [`unix (${path})`, [false, false, false, false, false, true]],
    ]);
  });

  it('are refused where they are connections or UDP, with several apps, and where the primary itself accepts', async () => {
    const path = join(scratch(), 'app.sock');
    const server = await listening({ port: 0, host: '127.0.0.1' });
    await listening({ path });
    const tcp = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    const unix = net.connect(path);
    open.push({ close: () => tcp.destroy() }, { close: () => unix.destroy() });
    await Promise.all([once(tcp, 'connect'), once(unix, 'connect')]);
    const udp = dgram.createSocket('udp4');
    open.push(udp);
    udp.bind(0);
    await once(udp, 'listening');
    expect(await inherited({ web: fdOf(tcp) })).to.include('Socket web is a connection');
    expect(await inherited({ web: fdOf(unix) })).to.include('Socket web does not listen');
    const { handle } = (udp as unknown as Record<symbol, { handle: { fd: number } }>)[
      Object.getOwnPropertySymbols(udp).find((symbol) => String(symbol).includes('state'))!
    ]!;
    expect(await inherited({ dns: handle.fd })).to.include('Socket dns is neither TCP nor');

    const passed = ['web'];
    expect(() => inheritedSockets({ passed, isOneOfSeveral: true }, { scheduling: 'os' })).to.throw('--only');
    expect(() => inheritedSockets({ passed, isOneOfSeveral: false }, { scheduling: 'rr' })).to.throw(
      "scheduling: 'os'",
    );
    expect(inheritedSockets({ passed: [], isOneOfSeveral: true }, { scheduling: 'rr' })).to.deep.equal([]);
  });
});
