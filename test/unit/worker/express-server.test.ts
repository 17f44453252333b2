import { expect } from 'chai';
import express, { type Express, type Request, type Response } from 'express';
import { once } from 'node:events';
import http, { createServer as named, type Server } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { serveExpressFast } from '#quiesce/worker/express-server.js';
import './fake-primary.ts';
import { get, useGatedServer } from './gated-server.ts';

describe('a request of an Express app', () => {
  const { appWith, serve, raw, held, handlerStarted, server } = useGatedServer();

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
    const prototypes: unknown[] = [];
    server().prependListener('request', (...pair: object[]) => prototypes.push(...pair.map(Object.getPrototypeOf)));
    expect((await fetch(`http://127.0.0.1:${port}/ok`)).status).to.equal(200);
    expect(prototypes).to.have.ordered.members([app.request, app.response]);
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
    let prototype: unknown;
    server.prependListener('request', (req) => (prototype = Object.getPrototypeOf(req)));
    if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
    expect(await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).text()).to.equal('ok');
    return prototype;
  }

  function app(): Express {
    return express().get('/', (_req, res) => void res.send('ok'));
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
