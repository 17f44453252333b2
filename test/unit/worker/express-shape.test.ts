import { expect } from 'chai';
import express, { type Request, type Response } from 'express';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import './fake-primary.ts';
import { get, useGatedServer } from './gated-server.ts';

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

  it('is the only one that is prepared: a server without Express gets its requests as Node makes them', async () => {
    let seen: IncomingMessage | undefined;
    const server = createServer((req, res) => {
      seen = req;
      res.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      expect(seen).to.not.have.any.keys('originalUrl', 'params', 'route');
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
