import { expect } from 'chai';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import request from 'supertest';
import { startAdminServer, type AdminServer } from '#quiesce/primary/admin/server.js';
import { ControlClient } from '#quiesce/cli/control-client.js';
import type { QuiesceError } from '#quiesce/errors.js';
import { scratchFolders } from '../../scratch.js';
import { aRun, aRunThatWaited, aStatus, FakeOperations, liveOf } from './fake-operations.js';

const scratch = scratchFolders();

describe('the admin server', () => {
  const servers: AdminServer[] = [];
  const lines: string[] = [];
  const keep = (_fields: unknown, line?: string): void => void lines.push(line ?? '');
  const log = { info: keep, warn: keep, error: keep };
  let operations: FakeOperations;
  let dataDir: string;

  beforeEach(() => {
    operations = new FakeOperations();
    dataDir = scratch();
    lines.length = 0;
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(async (server) => server.close()));
  });

  async function start(
    admin: { host: string; port: number } | null = { host: '127.0.0.1', port: 0 },
  ): Promise<AdminServer> {
    const server = await startAdminServer({ dataDir, admin, operations, live: liveOf(operations), log });
    servers.push(server);
    return server;
  }
  const token = (): string => readFileSync(path.join(dataDir, 'admin.token'), 'utf8').trim();
  const mode = (name: string): string => (statSync(path.join(dataDir, name)).mode & 0o777).toString(8);

  describe('on the control socket', () => {
    it('is open to its owner only, and gone after the end', async () => {
      const server = await start(null);
      expect([mode('control.sock'), mode('admin.token')]).to.deep.equal(['600', '600']);
      expect(server.url).to.equal(null);
      await server.close();
      expect(existsSync(path.join(dataDir, 'control.sock'))).to.equal(false);
    });

    it('asks for no token, and does what it is told', async () => {
      await start(null);
      const client = new ControlClient(dataDir);
      expect(await client.status()).to.deep.equal(aStatus);
      expect(await client.urls()).to.deep.equal(['http://127.0.0.1:3000']);
      await client.maintenance({ on: true, reason: 'works', for: 60_000 });
      await client.maintenance({ on: false });
      await client.reload({ by: 'ann' });
      await client.scale(5);
      expect(await client.runs(7)).to.deep.equal([aRun]);
      expect(await client.run('r1')).to.deep.equal(aRun);
      expect(await client.stop(true)).to.deep.equal({ pid: process.pid });
      expect(operations.asked).to.deep.equal([
        { on: true, reason: 'works', forMs: 60_000 },
        { on: false },
        { reload: { by: 'ann' } },
        { instances: 5 },
        { limit: 7 },
        { stop: { now: true } },
      ]);
    });

    it('hands errors over with their code, and keeps the words of unforeseen ones', async () => {
      await start(null);
      const client = new ControlClient(dataDir);
      operations.bootFails = true;
      const codeOf = async (call: Promise<unknown>): Promise<[string, number, string]> =>
        call.then(
          () => expect.fail('it went well'),
          (error: QuiesceError): [string, number, string] => [error.code, error.exitCode, error.message],
        );
      expect(await codeOf(client.reload())).to.deep.equal([
        'boot-failed',
        4,
        'The new worker did not boot: no such module.',
      ]);
      expect(await codeOf(client.run('nope'))).to.deep.equal(['not-found', 1, 'There is no run nope.']);
      expect(await codeOf(client.abandon('r1'))).to.deep.equal(['internal', 1, 'the journal is gone']);
      expect(lines).to.include('The admin server failed to answer');
    });

    it('takes the place of a socket that a dead primary left behind', async () => {
      writeFileSync(path.join(dataDir, 'control.sock'), '');
      await start(null);
      expect((await new ControlClient(dataDir).status()).name).to.equal('web');
    });

    it('works in a folder whose name is too long for a socket', async () => {
      dataDir = path.dirname(path.join(scratch({ [`${'deep/'.repeat(40)}x`]: '' }), `${'deep/'.repeat(40)}x`));
      await start(null);
      expect(existsSync(path.join(dataDir, 'control.sock'))).to.equal(true);
      expect((await new ControlClient(dataDir).status()).name).to.equal('web');
    });

    it('answers with no-primary where nobody listens, or somebody else does', async () => {
      const missing = await new ControlClient(dataDir).status().catch((error: QuiesceError) => error);
      expect(missing).to.include({ code: 'no-primary', exitCode: 5 });
      const stranger = http.createServer((_request, response) => response.end('hello'));
      stranger.listen(path.join(dataDir, 'control.sock'));
      await once(stranger, 'listening');
      const other = await new ControlClient(dataDir).status().catch((error: QuiesceError) => error);
      stranger.close();
      expect(other).to.include({ code: 'no-primary' });
    });
  });

  describe('over TCP', () => {
    it('tells the paths of requests to those with the token, and their routes to others', async () => {
      const { url } = await start();
      const run = aRunThatWaited('/reset/s3cret');
      const waitingFor = [{ slot: 0, method: 'GET', path: '/reset/s3cret', route: '/reset/:token', age: 1 }];
      operations.current = { ...aStatus, run, waitingFor };
      operations.runs = () => [run];
      operations.run = () => run;
      for (const path of ['/api/status', '/api/runs', '/api/runs/r1']) {
        const { text } = await request(url!).get(path).expect(200);
        expect(text, path).to.include('/reset/:token').and.not.include('s3cret');
        const whole = await request(url!).get(path).set('Authorization', `Bearer ${token()}`).expect(200);
        expect(whole.text, path).to.include('/reset/s3cret');
      }
      expect((await new ControlClient(dataDir).status()).waitingFor[0]?.path).to.equal('/reset/s3cret');
    });

    it('shows the status to whoever can connect, and changes nothing without the token', async () => {
      const { url } = await start();
      await request(url!).get('/api/status').expect(200).expect('Cache-Control', 'no-store').expect(aStatus);
      for (const header of [undefined, 'Bearer wrong', 'Basic x', `Bearer ${token()}x`, token()]) {
        const asked = request(url!).post('/api/maintenance').send({ on: true });
        if (header !== undefined) asked.set('Authorization', header);
        const answer = await asked
          .expect(401)
          .expect('Content-Type', 'application/problem+json')
          .expect('WWW-Authenticate', 'Bearer');
        expect(answer.body).to.include({ code: 'unauthorized', status: 401, instance: '/api/maintenance' });
      }
      expect(operations.asked).to.deep.equal([]);
      await request(url!)
        .post('/api/maintenance')
        .set('Authorization', `Bearer ${token()}`)
        .send({ on: true, for: '10m' })
        .expect(200);
      expect(operations.asked).to.deep.equal([{ on: true, forMs: 600_000 }]);
    });

    it('keeps its token over a restart', async () => {
      const first = await start();
      const before = token();
      await first.close();
      await start();
      expect(token()).to.equal(before);
    });

    it('refuses a foreign Host: a name that was rebound to this address', async () => {
      const { url } = await start();
      const { port } = new URL(url!);
      for (const host of [
        'evil.example',
        `evil.example:${port}`,
        '10.0.0.1',
        'localhost.evil.example',
        '',
        'user@localhost',
        '[::1',
        'localhost, evil.example',
      ]) {
        const answer = await request(url!).get('/api/status').set('Host', host);
        expect([400, 403], host).to.include(answer.status);
      }
      for (const host of ['localhost', `localhost:${port}`, 'LOCALHOST:8080', '127.0.0.1:1', `[::1]:${port}`]) {
        await request(url!).get('/api/status').set('Host', host).expect(200);
      }
    });

    it('refuses a page of another origin, the app itself included', async () => {
      const { url } = await start();
      const asked = (headers: Record<string, string>): request.Test => request(url!).get('/api/status').set(headers);
      for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:3000', 'garbage'])
        await asked({ Origin: origin }).expect(403);
      for (const site of ['cross-site', 'same-site']) await asked({ 'Sec-Fetch-Site': site }).expect(403);
      for (const site of ['same-origin', 'none']) await asked({ 'Sec-Fetch-Site': site }).expect(200);
      await asked({ Origin: url! }).expect(200);
    });

    it('refuses a forged order although it carries the token, and does nothing', async () => {
      const { url } = await start();
      const order = (): request.Test =>
        request(url!).post('/api/maintenance').set('Authorization', `Bearer ${token()}`).send({ on: true });
      for (const forged of [
        { Host: 'evil.example' },
        { Origin: 'https://evil.example' },
        { Origin: 'null' },
        { 'Sec-Fetch-Site': 'cross-site' },
      ])
        await order().set(forged).expect(403);
      expect(operations.asked).to.deep.equal([]);
      await order().expect(200);
      expect(operations.asked).to.deep.equal([{ on: true }]);
    });

    it('refuses what is too large or no HTTP, does nothing, and serves on', async () => {
      const { url } = await start();
      const { port } = new URL(url!);
      const authorized = `Host: localhost\r\nAuthorization: Bearer ${token()}\r\nContent-Type: application/json\r\n`;
      const megabyte = 'x'.repeat(1_048_576);
      for (const [text, status] of [
        [`POST /api/reload HTTP/1.1\r\n${authorized}X-Long: ${megabyte}\r\n\r\n`, 431],
        // Its length is not told beforehand.
        [
          `POST /api/maintenance HTTP/1.1\r\n${authorized}Transfer-Encoding: chunked\r\n\r\n100000\r\n${megabyte}\r\n0\r\n\r\n`,
          413,
        ],
        [`POST /api/reload HTTP/1.1\r\n${authorized}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
        [`POST /api/reload HTTP/1.1\r\n${authorized}Host: evil.example\r\nContent-Length: 0\r\n\r\n`, 400],
        ['\0\0\0 no HTTP at all\r\n\r\n', 400],
      ] as const) {
        const socket = net.connect(Number(port), '127.0.0.1');
        // It may be cut off while it sends.
        socket.on('error', () => {}).write(text);
        const [answer] = (await once(socket, 'data')) as [Buffer];
        socket.destroy();
        expect(Number(/^HTTP\/1\.1 (\d+)/.exec(answer.toString('latin1'))?.[1]), text.slice(0, 60)).to.equal(status);
      }
      expect(operations.asked).to.deep.equal([]);
      await request(url!).get('/api/status').expect(200);
    });

    it('says what is wrong with a body, and does nothing', async () => {
      const { url } = await start();
      const post = (where: string): request.Test => request(url!).post(where).set('Authorization', `Bearer ${token()}`);
      const detail = async (test: request.Test, status: number): Promise<string> =>
        ((await test.expect(status)).body as { detail: string }).detail;
      expect(await detail(post('/api/maintenance').send({}), 400)).to.equal(
        'The body is wrong: on takes true or false.',
      );
      expect(await detail(post('/api/maintenance').send({ on: true, raeson: 'x' }), 400)).to.include(
        'raeson is not known',
      );
      expect(await detail(post('/api/maintenance').send({ on: false, for: 5 }), 400)).to.include('`for` goes with');
      expect(await detail(post('/api/scale').send({ instances: 0 }), 400)).to.include(
        'instances takes a whole number from 1 to 1024',
      );
      expect(await detail(post('/api/maintenance').type('json').send('{"on"'), 400)).to.include('cannot be read');
      expect(await detail(post('/api/scale').type('json').send('[]'), 400)).to.include('the body takes an object');
      expect(await detail(post('/api/scale').type('text').send('{"instances":3}'), 415)).to.include('application/json');
      expect(await detail(post('/api/maintenance').send({ on: true, reason: 'x'.repeat(20_000) }), 413)).to.include(
        '16 kB',
      );
      expect(await detail(request(url!).get('/api/reload'), 405)).to.include('takes POST');
      expect(await detail(request(url!).get('/nowhere'), 404)).to.include('/nowhere');
      expect(await detail(request(url!).get('/api/runs?limit=x'), 400)).to.include('limit');
      expect(await detail(request(url!).get('/api/runs/%E0%A4%A'), 400)).to.include('cannot be read');
      await post('/api/reload').expect(200);
      expect(operations.asked).to.deep.equal([{ reload: {} }]);
    });

    it('streams the status at once and at each change, and forgets a reader that went away', async () => {
      const { url } = await start();
      const stream = http.get(`${url}/api/events`);
      const [response] = (await once(stream, 'response')) as [http.IncomingMessage];
      expect(response.headers['content-type']).to.match(/^text\/event-stream/);
      response.setEncoding('utf8');
      const [first] = (await once(response, 'data')) as [string];
      expect(first)
        .to.match(/^event: status\nid: [\w.-]+\n/)
        .and.include(`data: ${JSON.stringify(aStatus)}\n\n`);
      for (const listener of operations.listeners) listener({ ...aStatus, epoch: 4 });
      const [second] = (await once(response, 'data')) as [string];
      expect(second).to.include('"epoch":4');
      stream.destroy();
      while (operations.listeners.size > 0) await new Promise(setImmediate);
    });

    it('leaves the site alone where its port is taken', async () => {
      const other = net.createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as net.AddressInfo;
      const server = await start({ host: '127.0.0.1', port });
      expect(server.url).to.equal(null);
      expect(lines.join('\n')).to.include(`No dashboard on 127.0.0.1:${port}`).and.include('quiesce.admin.port');
      expect((await new ControlClient(dataDir).status()).name).to.equal('web');
      other.close();
    });
  });
});
