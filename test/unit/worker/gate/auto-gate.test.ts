import { expect } from 'chai';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import http, { type Server } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { gateHttp2Without, gateServersWithout } from '#quiesce/worker/gate/auto-gate.js';
import { Gate } from '#quiesce/worker/gate/gate.js';
import type { Runtime } from '#quiesce/worker/process/runtime.js';

const pauseInfo = { holds: [], run: null, retryAfter: 1_000 };

describe('the gate of an app that has none', () => {
  const prototypes = [http.Server.prototype, https.Server.prototype];
  let runtime: Runtime;
  let gate: Gate;
  const servers: NetServer[] = [];
  beforeEach(() => {
    gate = new Gate(() => {});
    gate.resume(0);
    const settings = Promise.resolve({ maintenance: { onPause: 'refuse' } });
    runtime = { gate, settings, rules: null, isExcepted: () => false, neverHeld: new Set() } as unknown as Runtime;
  });
  afterEach(() => {
    for (const prototype of prototypes) Reflect.deleteProperty(prototype, 'emit');
    for (const server of servers.splice(0)) server.close();
  });

  async function portOf(server: NetServer): Promise<number> {
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function statusOf(port: number, headers: Record<string, string> = {}): Promise<number | undefined> {
    const request = http.get({ port, headers, agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    await once(response.resume(), 'end');
    return response.statusCode;
  }

  /** What an agent does to see all requests. */
  function wrap(): { seen(): number; readonly emit: unknown } {
    let seen = 0;
    const { emit } = http.Server.prototype;
    const wrapped: typeof emit = function (this: Server, ...args: unknown[]) {
      if (args[0] === 'request') seen++;
      return Reflect.apply(emit, this, args) as boolean;
    };
    http.Server.prototype.emit = wrapped;
    return { seen: () => seen, emit: wrapped };
  }

  it('counts a request once that one server hands on to another', async () => {
    gateServersWithout(runtime);
    const inner = http.createServer((_req, res) => res.end('inner'));
    const port = await portOf(http.createServer((req, res) => inner.emit('request', req, res)));
    for (let time = 0; time < 3; time++) expect(await statusOf(port)).to.equal(200);
    expect([gate.inFlight, gate.served]).to.deep.equal([0, 3]);
  });

  it('stands before `Expect: 100-continue` and anything else that is expected', async () => {
    gateServersWithout(runtime);
    const server = http.createServer();
    for (const event of ['checkContinue', 'checkExpectation']) {
      server.on(event, (_req: unknown, res: http.ServerResponse) => res.end('taken'));
    }
    const port = await portOf(server);
    for (const expected of ['100-continue', 'an answer'])
      expect(await statusOf(port, { Expect: expected })).to.equal(200);
    gate.pause(1, pauseInfo);
    for (const expected of ['100-continue', 'an answer'])
      expect(await statusOf(port, { Expect: expected })).to.equal(503);
  });

  it("lets a browser's preflight pass during a pause, which only the app can answer, and no other OPTIONS", async () => {
    gateServersWithout(runtime);
    const server = http.createServer((_req, res) => res.writeHead(204, { 'Access-Control-Allow-Origin': '*' }).end());
    const port = await portOf(server);
    const preflight = { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'PUT' };
    const ask = async (method: string, headers: Record<string, string>, body = ''): Promise<number | undefined> => {
      const request = http.request({ port, method, headers, agent: false });
      request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      await once(response.resume(), 'end');
      return response.statusCode;
    };
    expect(await ask('OPTIONS', preflight)).to.equal(204);
    expect(gate.served, 'it counts while the site serves').to.equal(1);
    gate.pause(1, pauseInfo);
    expect(await ask('OPTIONS', preflight)).to.equal(204);
    expect(await ask('OPTIONS', { ...preflight, 'Content-Length': '0' })).to.equal(204);
    expect(gate.inFlight).to.equal(0);
    expect(await ask('OPTIONS', { ...preflight, 'Content-Length': '4' }, 'work')).to.equal(503);
    expect(await ask('OPTIONS', { ...preflight, 'Transfer-Encoding': 'chunked' }, 'work')).to.equal(503);
    expect(await ask('OPTIONS', { Origin: 'https://shop.example' })).to.equal(503);
    expect(await ask('OPTIONS', { 'Access-Control-Request-Method': 'PUT' })).to.equal(503);
    expect(await ask('GET', preflight)).to.equal(503);
  });

  it('stands before the servers of node:http2 as well', async () => {
    const server = http2.createServer((_req, res) => res.end('taken'));
    gateHttp2Without(runtime, server);
    const session = http2.connect(`http://127.0.0.1:${await portOf(server)}`);
    const status = async (): Promise<unknown> => {
      const [headers] = (await once(session.request().resume(), 'response')) as [Record<string, unknown>];
      return headers[':status'];
    };
    expect(await status()).to.equal(200);
    gate.pause(1, pauseInfo);
    expect(await status()).to.equal(503);
    session.close();
    Reflect.deleteProperty(Object.getPrototypeOf(server) as object, 'emit');
  });

  it('leaves alone whoever listens in before it or after it, also when it goes', async () => {
    const first = wrap();
    gateServersWithout(runtime);
    const second = wrap();
    const port = await portOf(http.createServer((_req, res) => res.end('ok')));
    await statusOf(port);
    runtime.rules = { hasExceptions: false, isExcepted: () => false, excepts: () => false }; // the app has called gate()
    for (let time = 0; time < 2; time++) expect(await statusOf(port)).to.equal(200);
    expect([first.seen(), second.seen()]).to.deep.equal([3, 3]);
    expect(http.Server.prototype.emit).to.equal(second.emit);
  });

  it('goes without a trace where nobody else listens in', async () => {
    const before = wrap();
    gateServersWithout(runtime);
    runtime.rules = { hasExceptions: false, isExcepted: () => false, excepts: () => false };
    const port = await portOf(http.createServer((_req, res) => res.end('ok')));
    await statusOf(port);
    expect(http.Server.prototype.emit).to.equal(before.emit);
    expect(Object.hasOwn(https.Server.prototype, 'emit'), 'what no request has come through').to.equal(true);
  });

  it('lets a request that was held go on in the context that it came in', async () => {
    const storage = new AsyncLocalStorage<string>();
    let context: string | undefined;
    gate.pause(1, pauseInfo);
    const port = await portOf(
      http.createServer((req, res) => {
        storage.run('of the request', () => {
          const admit = (): void => {
            context = storage.getStore();
            res.end();
          };
          gate.hold(req, res, { limit: 1, timeout: 5_000 }, admit, () => {});
          storage.run('of the resume', () => gate.resume(1));
        });
      }),
    );
    expect(await statusOf(port)).to.equal(200);
    expect(context).to.equal('of the request');
  });
});
