import { expect } from 'chai';
import express, { type Express, type Request, type Response } from 'express';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import http, { createServer as named, type Server } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { serveExpressFast } from '#quiesce/worker/gate/express-server.js';
import '../fake-primary.ts';
import { get, useGatedServer } from './gated-server.ts';

interface Born {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
}

/** What Node has made, before the app has seen it. */
async function born(port: number): Promise<Born> {
  let prototypes: Born | undefined;
  const look = (message: unknown): void => {
    const { request, response } = message as Born;
    const like = <T extends object>(it: T): T => Object.create(Object.getPrototypeOf(it) as object) as T;
    prototypes = { request: like(request), response: like(response) };
  };
  subscribe('http.server.request.start', look);
  try {
    expect(await (await fetch(`http://127.0.0.1:${port}/ok`)).text()).to.equal('ok');
  } finally {
    unsubscribe('http.server.request.start', look);
  }
  return prototypes!;
}

describe('a request of an Express app', () => {
  const { appWith, serve, raw, held, handlerStarted } = useGatedServer();

  it('has a hidden class in common with the others, so that V8 can cache what it looks up', async () => {
    setFlagsFromString('--allow-natives-syntax');
    const haveSameMap = runInThisContext('(one, other) => %HaveSameMap(one, other)') as (
      one: object,
      other: object,
    ) => boolean;
    const port = await serve(appWith());
    for (const _each of [1, 2]) {
      const running = handlerStarted();
      await raw(port, get('/hold'));
      await running;
    }
    const [one, other] = held as [Response, Response];
    expect(haveSameMap(one, other)).to.equal(true);
  });

  it('is to its handlers as it would be without that', async () => {
    const seen: unknown[] = [];
    const look = (req: Request, res: Response): void => {
      const { baseUrl, originalUrl, url, params, query } = req;
      const { statusCode, locals } = res;
      seen.push({ baseUrl, originalUrl, url, params, query, statusCode, locals, own: req.res === res });
    };
    const port = await serve(
      appWith({}, (app) => {
        const router = express.Router({ mergeParams: true });
        app.use((req, res, next) => {
          look(req, res);
          next();
        });
        router.get('/:part', (req, res) => {
          look(req, res);
          res.json({ route: String(req.route.path) });
        });
        app.use('/whole/:name', router);
      }),
    );
    const response = await fetch(`http://127.0.0.1:${port}/whole/a/b?c=d`);
    expect(response.status).to.equal(200);
    expect(await response.json()).to.deep.equal({ route: '/:part' });
    const always = { originalUrl: '/whole/a/b?c=d', query: { c: 'd' }, statusCode: 200, locals: {}, own: true };
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
    expect(plain(seen)).to.deep.equal([
      { ...always, baseUrl: '', url: '/whole/a/b?c=d', params: {} },
      { ...always, baseUrl: '/whole/a', url: '/b?c=d', params: { name: 'a', part: 'b' } },
    ]);
  });

  it('is born with the prototypes of the app, and so is the response', async () => {
    const app = appWith();
    const port = await serve(app);
    const { request, response } = await born(port);
    expect([request, response].map(Object.getPrototypeOf)).to.have.ordered.members([app.request, app.response]);
  });
});

describe('createServer, for an app that knows nothing of quiesce', () => {
  const { createServer } = http;
  let servers: Server[] = [];
  before(serveExpressFast);
  after(() => {
    http.createServer = createServer;
    syncBuiltinESMExports();
  });
  afterEach(() => {
    for (const server of servers) server.closeAllConnections();
    for (const server of servers) server.close();
    servers = [];
  });

  /** The prototype of a request when Node has made it. */
  async function madeBy(server: Server): Promise<unknown> {
    servers.push(server);
    if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
    const { request } = await born((server.address() as AddressInfo).port);
    return Object.getPrototypeOf(request) as unknown;
  }

  function app(): Express {
    return express().get('/ok', (_req, res) => void res.send('ok'));
  }

  it('gives an Express app its own kind of request, however the server is made', async () => {
    for (const make of [
      (it: Express) => it.listen(0, '127.0.0.1'),
      (it: Express) => http.createServer(it),
      (it: Express) => named(it),
      (it: Express) => http.createServer({ keepAliveTimeout: 1_000 }, it),
    ]) {
      const it = app();
      expect(await madeBy(make(it))).to.equal(it.request);
    }
  });

  it('gives anything else what Node makes', async () => {
    expect(await madeBy(http.createServer((_req, res) => res.end('ok')))).to.equal(http.IncomingMessage.prototype);
    expect(await madeBy(http.createServer().on('request', app()))).to.equal(http.IncomingMessage.prototype);
  });

  it('gives what Node makes where others are handed requests as well, which may write what Express only reads', async () => {
    for (const event of ['request', 'upgrade', 'connect', 'checkContinue', 'checkExpectation']) {
      const server = http.createServer(app()).on(event, () => {});
      expect(await madeBy(server), event).to.equal(http.IncomingMessage.prototype);
    }
    const server = http.createServer(app());
    server.on('upgrade', (req, socket) => {
      Object.assign(req, { path: '/chat', ip: '::1', query: {} });
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n');
    });
    await madeBy(server);
    const { port } = server.address() as AddressInfo;
    const request = http.get({ port, headers: { Connection: 'Upgrade', Upgrade: 'chat' } });
    const [, socket] = (await once(request, 'upgrade')) as [unknown, Socket];
    socket.destroy();
  });

  it('is to whoever calls it what it was', () => {
    expect([http.createServer.name, http.createServer.length]).to.deep.equal([createServer.name, createServer.length]);
    for (const wrong of [5, 'x']) expect(() => http.createServer(wrong as never)).to.throw(TypeError);
  });

  it('leaves to an app what it asks for itself', async () => {
    class Own extends http.IncomingMessage {}
    expect(await madeBy(http.createServer({ IncomingMessage: Own }, app()))).to.equal(Own.prototype);
  });

  it('leaves an app alone whose requests hide what Node gives each of them', async () => {
    const it = app();
    Object.defineProperty(it.request, 'method', { get: () => 'GET' });
    expect(await madeBy(http.createServer(it))).to.equal(http.IncomingMessage.prototype);
  });
});
