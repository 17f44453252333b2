import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import net, { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { stopAccepting } from '#quiesce/worker/process/stand-in.js';

describe('a server that accepts nothing more', () => {
  let server: Server;
  let port: number;
  beforeEach('it listens, and has accepted', async () => {
    server = createServer((_req, res) => void res.end('yes')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterEach('none is left', () => {
    server.close();
    server.closeAllConnections();
  });

  it('refuses new connections', async () => {
    stopAccepting(server);
    const socket = connect(port, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).to.equal('ECONNREFUSED');
  });

  it('listens still, as its app sees it, at the same address', () => {
    stopAccepting(server);
    expect(server.listening).to.equal(true);
    expect((server.address() as AddressInfo).port).to.equal(port);
    expect(() => server.ref().unref()).not.to.throw();
  });

  it('calls back without an error when it is closed and its last connection has ended, and only then', async () => {
    // Of node:net: node:http closes a connection that has sent nothing, since Node 26.
    const plain = net.createServer().listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const socket = connect((plain.address() as AddressInfo).port, '127.0.0.1');
    await once(plain, 'connection');
    stopAccepting(plain);
    let closed = false;
    const done = promisify(plain.close.bind(plain))().then(() => (closed = true));
    expect(plain.listening).to.equal(false);
    await new Promise(setImmediate);
    expect(closed).to.equal(false);
    socket.destroy();
    await done;
  });

  it('is closed by `await using`, and tells of it once', async () => {
    let told = 0;
    server.on('close', () => told++);
    stopAccepting(server);
    await new Promise(setImmediate);
    expect(told).to.equal(0);
    await server[Symbol.asyncDispose]();
    expect(told).to.equal(1);
  });

  it('answers on the connections that it has, and cuts them when its app says so', async () => {
    const socket = connect(port, '127.0.0.1');
    await once(server, 'connection');
    stopAccepting(server);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).to.match(/200 OK/);
    const done = promisify(server.close.bind(server))();
    server.closeAllConnections();
    await done;
  });

  it('gives a Unix socket up as well', async () => {
    const path = join(tmpdir(), `quiesce-stand-in-${process.pid}.sock`);
    const other = createServer().listen(path);
    await once(other, 'listening');
    stopAccepting(other);
    expect(other.address()).to.equal(path);
    const [error] = (await once(get({ socketPath: path }), 'error')) as [NodeJS.ErrnoException];
    expect(error.code).to.be.oneOf(['ENOENT', 'ECONNREFUSED']);
    await promisify(other.close.bind(other))();
  });

  it('is left alone where it has been closed before', async () => {
    await promisify(server.close.bind(server))();
    stopAccepting(server);
    expect(server.listening).to.equal(false);
  });
});
