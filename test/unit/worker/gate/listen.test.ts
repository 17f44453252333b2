import { expect } from 'chai';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { pause, runtime } from '../fake-primary.ts';
import { get, until, useGatedServer } from './gated-server.ts';

describe('a server that listen() starts', () => {
  const { appWith, serve, raw, server } = useGatedServer();

  it('asks for a body that is expected only when a handler reads it, and never when it refuses', async () => {
    const port = await serve(appWith());
    const head = 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
    const open = await raw(port, head);
    await until(() => open.received.includes('100 Continue'), 'the go-ahead');
    open.write('hello');
    await until(() => open.received.includes('200 OK'), 'the answer');
    pause();
    const shut = await raw(port, head);
    await until(() => shut.received.includes('503'), 'the refusal');
    expect(shut.received).to.not.include('100 Continue');
  });

  it('answers the whole refusal to a client that is still sending, and closes that connection only', async () => {
    const port = await serve(appWith());
    pause();
    const socket = await raw(port, 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n');
    const chunk = Buffer.alloc(1_000_000);
    for (let i = 0; i < 10; i++) socket.write(chunk);
    await once(socket, 'close');
    expect(socket.received)
      .to.include('503')
      .and.to.match(/connection: close/i)
      .and.to.include('"code":"paused"');
  });

  it('gates upgrades, and stops counting one when its handshake is answered', async () => {
    const port = await serve(appWith());
    const upgrades: Socket[] = [];
    server().on('upgrade', (_req, socket) => upgrades.push(socket as Socket));
    const upgrade = get('/socket', 'Connection: Upgrade\r\nUpgrade: echo\r\n');
    await raw(port, upgrade);
    await until(() => upgrades.length === 1, 'the upgrade');
    expect(runtime().gate.inFlight).to.equal(1);
    upgrades[0]!.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    expect(runtime().gate.inFlight).to.equal(0);
    pause();
    const refused = await raw(port, upgrade);
    await until(() => refused.received.includes('503'), 'the refusal');
    expect(upgrades).to.have.length(1);
    upgrades[0]!.destroy();
  });
});
