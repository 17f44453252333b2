import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, symlinkSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect } from 'chai';
import pino from 'pino';
import { clearSocket } from '#quiesce/primary/fleet/addresses/unix-sockets.js';
import { scratchFolders } from '../../../scratch.js';

const log = pino({ level: 'silent' });
const leave = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;

describe('a Unix socket that the app is to listen on', () => {
  const scratch = scratchFolders();
  const { geteuid } = process;
  afterEach(() => void (process.geteuid = geteuid!));

  /** As a process leaves it that is killed. */
  function dead(folder: string, name: string): string {
    const socket = path.join(folder, name);
    spawnSync(process.execPath, ['-e', leave, socket]);
    expect(existsSync(socket)).to.equal(true);
    return socket;
  }

  it('is removed where nobody answers, and left alone where somebody does, or where it is none', async () => {
    const folder = scratch({ plain: 'kept' });
    const [alive, plain, link] = ['alive', 'plain', 'link'].map((name) => path.join(folder, name));
    const server = net.createServer().listen(alive);
    await once(server, 'listening');
    const left = dead(folder, 'dead');
    const linked = dead(folder, 'linked');
    symlinkSync(linked, link!);
    for (const socket of [left, alive!, plain!, link!, path.join(folder, 'none'), '\0abstract'])
      await clearSocket(socket, log);
    expect([left, alive, plain, link, linked].map((socket) => existsSync(socket!))).to.deep.equal([
      false,
      true,
      true,
      true,
      true,
    ]);
    server.close();
    await once(server, 'close');
  });

  it("is left alone where it is another user's", async () => {
    const left = dead(scratch({}), 'dead');
    process.geteuid = () => geteuid!() + 1;
    await clearSocket(left, log);
    expect(existsSync(left)).to.equal(true);
  });

  it('is not taken away from the first of several workers that has bound it and does not listen yet', async () => {
    type Make = (address: string, port: number, type: number) => { close(): void };
    const bind = (net as unknown as { _createServerHandle: Make })._createServerHandle;
    for (const socket of [dead(scratch({}), 'dead'), path.join(scratch({}), 'none')]) {
      await clearSocket(socket, log);
      const handle = bind(socket, -1, -1);
      for (let others = 0; others < 2; others++) await clearSocket(socket, log);
      expect(existsSync(socket)).to.equal(true);
      handle.close();
      spawnSync(process.execPath, ['-e', leave, socket]);
      await clearSocket(socket, log);
      expect(existsSync(socket), 'another one that is left behind there later').to.equal(false);
    }
  });

  it('is not taken away from the first of several workers that listens on it', async () => {
    const left = dead(scratch({}), 'dead');
    const server = net.createServer();
    await Promise.all([clearSocket(left, log).then(() => server.listen(left)), clearSocket(left, log)]);
    expect(existsSync(left)).to.equal(true);
    server.close();
    await once(server, 'close');
  });
});
