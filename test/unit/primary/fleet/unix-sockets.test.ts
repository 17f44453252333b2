import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect } from 'chai';
import pino from 'pino';
import { recordSockets, removeDeadSockets } from '#quiesce/primary/fleet/unix-sockets.js';
import { scratchFolders } from '../../scratch.js';

const log = pino({ level: 'silent' });

describe('the Unix sockets of an app', () => {
  const scratch = scratchFolders();

  it('are removed where nobody answers, and left alone where somebody does or where they are none', async () => {
    const folder = scratch({ plain: 'kept' });
    const [dead, alive, plain, stranger] = ['dead', 'alive', 'plain', 'stranger'].map((name) =>
      path.join(folder, name),
    );
    const leave = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    for (const socket of [dead!, stranger!]) spawnSync(process.execPath, ['-e', leave, socket]);
    const server = net.createServer().listen(alive);
    await once(server, 'listening');

    const file = path.join(folder, 'sockets.json');
    const record = recordSockets(file, log);
    for (const socket of [dead!, alive!, plain!, '\0abstract']) record.add(socket);
    await record.flush();
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.deep.equal([dead, alive, plain]);
    await removeDeadSockets(file, log);
    expect([dead, alive, plain, stranger].map((socket) => existsSync(socket!))).to.deep.equal([
      false,
      true,
      true,
      true,
    ]);
    server.close();
    await once(server, 'close');
    writeFileSync(file, 'cut sho');
    await removeDeadSockets(file, log);
  });
});
