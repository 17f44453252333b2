import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { KeptSockets, type SocketKeeper } from '#quiesce/primary/kept/sockets.js';
import { scratchFolders } from '../../scratch.ts';

type Take = ConstructorParameters<typeof KeptSockets>[0]['sockets'][number]['handle'] | number;
const { _createServerHandle: make } = net as unknown as {
  _createServerHandle: (address: string | null, port: number, type: number, fd?: number, flags?: number) => Take;
};

class Keeper implements SocketKeeper {
  readonly sockets: SocketKeeper['sockets'];
  readonly sent: string[] = [];
  constructor(sockets: SocketKeeper['sockets'] = []) {
    this.sockets = sockets;
  }
  send({ type, id }: Parameters<SocketKeeper['send']>[0]): void {
    this.sent.push(`${type} ${id}`);
  }
  closeAll(): Promise<void> {
    this.sent.push('close-all');
    return Promise.resolve();
  }
}

const one = `${process.pid}.1`;

describe('the sockets of a site', () => {
  const scratch = scratchFolders();

  it('are made once: workers that come later get the same, as long as no worker serves elsewhere', async () => {
    const keeper = new Keeper();
    const sockets = new KeptSockets(keeper);
    const first = sockets.take(make, '127.0.0.1', 0, 4) as { close(): void };
    first.close(); // node:cluster, when the last worker has gone
    expect(sockets.take(make, '127.0.0.1', 0, 4)).to.equal(first);
    const second = sockets.take(make, '127.0.0.1', 0, 4);
    expect(second, 'two servers on any free port').to.not.equal(first);
    first.close();
    await delay(10);
    expect(keeper.sent).to.deep.equal([`keep ${one}`, `keep ${process.pid}.2`, `close ${one}`]);
    await sockets.closeAll();
  });

  it('wait for the next worker for so long, then connections are refused', async () => {
    const keeper = new Keeper();
    const sockets = new KeptSockets(keeper, 20);
    (sockets.take(make, '127.0.0.1', 0, 4) as { close(): void }).close();
    await delay(60);
    expect(keeper.sent).to.deep.equal([`keep ${one}`, `close ${one}`]);
  });

  it('live on where another primary has them: nobody is told, and a Unix socket keeps its name', async () => {
    const keeper = new Keeper();
    const sockets = new KeptSockets(keeper, 20);
    const socket = path.join(scratch(), 'app.sock');
    const first = sockets.take(make, socket, -1, -1) as { close(): void };
    sockets.yield();
    first.close();
    await delay(60);
    await sockets.closeAll();
    expect(keeper.sent).to.deep.equal([`keep ${one}`]);
    expect(existsSync(socket)).to.equal(true);
  });

  it('of a former primary are used where their names are the same', async () => {
    const handle = make('127.0.0.1', 0, 4) as { close(): void };
    const name = { address: '127.0.0.1', port: 1234, addressType: 4, flags: 0 };
    const sockets = new KeptSockets(new Keeper([{ id: 'old', name, handle }]));
    expect(sockets.take(make, '127.0.0.1', 1234, 4)).to.equal(handle);
    await sockets.closeAll();
  });

  it('that cannot be had are not kept, and the reason is told as ever', async () => {
    const keeper = new Keeper();
    const sockets = new KeptSockets(keeper);
    expect(sockets.take(make, '192.0.2.1', 1, 4)).to.be.a('number');
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as net.AddressInfo;
    const handle = sockets.take(make, '127.0.0.1', port, 4);
    if (typeof handle !== 'number') handle.close();
    taken.close();
    const file = path.join(scratch({}), 'socket');
    writeFileSync(file, 'of somebody else');
    expect(sockets.take(make, file, -1, -1)).to.equal(-98); // EADDRINUSE
    expect(keeper.sent).to.deep.equal([]);
    expect(existsSync(file)).to.equal(true);
    await sockets.closeAll();
  });

  it('with a path leave it with the last of them, and not with the process that has made them', async () => {
    const keeper = new Keeper();
    const sockets = new KeptSockets(keeper);
    const folder = scratch({});
    const file = path.join(folder, 'socket');
    const handle = sockets.take(make, file, -1, -1) as { close(): void };
    expect(existsSync(file)).to.equal(true);
    handle.close();
    expect(sockets.take(make, file, -1, -1)).to.equal(handle);
    expect(existsSync(file)).to.equal(true);
    await sockets.closeAll();
    expect(existsSync(file)).to.equal(false);
  });
});
