import { expect } from 'chai';
import express from 'express';
import { once } from 'node:events';
import http, { type Server } from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { gate } from '#quiesce/worker/gate/admission.js';
import { gateHttp2Without } from '#quiesce/worker/gate/auto-gate.js';
import { gateHandshakes } from '#quiesce/worker/gate/handshakes.js';
import { pause, resume, runtime } from '../fake-primary.ts';
import { get, until } from './gated-server.ts';

const upgrade = get('/socket', 'Connection: Upgrade\r\nUpgrade: echo\r\n');
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

describe('a handshake', () => {
  const servers: NetServer[] = [];
  const sockets: Socket[] = [];
  before(() => gateHandshakes());
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
    resume();
    await until(() => runtime().gate.inFlight === 0, 'every request to settle after the test');
  });

  async function portOf(server: NetServer): Promise<number> {
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function answer(port: number, text: string): Promise<string> {
    const socket = net.connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.write(text);
    const [head] = (await once(socket, 'data')) as [Buffer];
    return String(head).split(' ')[1]!;
  }

  const accept = (_req: unknown, socket: Socket): void => void socket.end(switching);

  it('is refused during a pause at a server that the app has made for itself, with gate() and without', async () => {
    const app = express().use(gate());
    for (const server of [http.createServer(app), new http.Server(), http.createServer()]) {
      server.on('upgrade', accept);
      const port = await portOf(server);
      expect(await answer(port, upgrade)).to.equal('101');
      pause();
      expect(await answer(port, upgrade)).to.equal('503');
      resume();
    }
  });

  it('is gated however and whenever the app begins to listen for it', async () => {
    const listening: ((server: Server, listener: typeof accept) => unknown)[] = [
      (server, listener) => server.addListener('upgrade', listener),
      (server, listener) => server.once('upgrade', listener),
      (server, listener) => server.prependListener('upgrade', listener),
      (server, listener) => server.prependOnceListener('upgrade', listener),
    ];
    for (const listen of listening) {
      const server = http.createServer();
      const port = await portOf(server);
      pause();
      listen(server, accept);
      expect(await answer(port, upgrade)).to.equal('503');
      resume();
      expect(await answer(port, upgrade)).to.equal('101');
    }
  });

  it('is gated for `CONNECT` as well', async () => {
    const port = await portOf(
      http.createServer().on('connect', (_req, socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\n')),
    );
    const connect = 'CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n';
    expect(await answer(port, connect)).to.equal('200');
    pause();
    expect(await answer(port, connect)).to.equal('503');
  });

  it('counts once where one server hands it on to another, until it is answered', async () => {
    let taken: Socket | undefined;
    const inner = http.createServer().on('upgrade', (_req, socket) => (taken = socket as Socket));
    const outer = http.createServer().on('upgrade', (...args) => inner.emit('upgrade', ...args));
    const served = runtime().gate.served;
    const answered = answer(await portOf(outer), upgrade);
    await until(() => taken !== undefined, 'the handshake');
    expect([runtime().gate.inFlight, runtime().gate.served - served]).to.deep.equal([1, 1]);
    taken!.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
    expect(runtime().gate.inFlight, 'answered, though the client has not left').to.equal(0);
    expect(await answered).to.equal('401');
  });

  it('goes through whoever wraps `emit` of all servers later', async () => {
    const server = http.createServer().on('upgrade', accept);
    const { emit } = http.Server.prototype;
    let seen = 0;
    http.Server.prototype.emit = function (this: Server, ...args: unknown[]) {
      if (args[0] === 'upgrade') seen++;
      return Reflect.apply(emit, this, args) as boolean;
    };
    try {
      expect(await answer(await portOf(server), upgrade)).to.equal('101');
    } finally {
      Reflect.deleteProperty(http.Server.prototype, 'emit');
    }
    expect(seen).to.equal(1);
  });

  it('is gated at the servers of node:http2, which call CONNECT what a WebSocket begins with', async () => {
    const server = http2.createServer({ settings: { enableConnectProtocol: true } }, (_req, res) => void res.end());
    server.on('connect', (_req: unknown, res: http2.Http2ServerResponse) => {
      res.writeHead(200);
      res.stream.write('open');
    });
    gateHttp2Without(runtime(), server);
    try {
      const session = http2.connect(`http://127.0.0.1:${await portOf(server)}`);
      await once(session, 'remoteSettings');
      const status = async (): Promise<unknown> => {
        const stream = session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/socket' });
        const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
        expect(runtime().gate.inFlight).to.equal(0);
        stream.close();
        return headers[':status'];
      };
      expect(await status()).to.equal(200);
      pause();
      expect(await status()).to.equal(503);
      session.destroy();
    } finally {
      Reflect.deleteProperty(Object.getPrototypeOf(server) as object, 'emit');
    }
  });
});
