import { expect } from 'chai';
import cors from 'cors';
import express5, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import express4 from 'express4';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QuiesceError } from '#quiesce/errors.js';
import { mirror } from '#quiesce/worker/feed/mirror-route.js';
import { gate } from '#quiesce/worker/gate/admission.js';
import { exclusive } from '#quiesce/worker/gate/exclusive/exclusive.js';
import { listen } from '#quiesce/worker/gate/listen.js';
import { answerWith, pause, resume } from '../../fake-primary.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  resume();
  answerWith(() => ({}));
});

async function urlOf(app: Express): Promise<string> {
  const server = listen(app, 0);
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const put = (url: string): Promise<Response> =>
  fetch(url, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '[]' });

for (const [version, express] of [
  ['4', express4],
  ['5', express5],
] as const) {
  describe(`a route of Express ${version}`, () => {
    it('gets a `Location` into its answers where that can be fetched, and only there', async () => {
      const app = express().use(gate());
      const options = { collection: 'resources' };
      app.use('/mounted', mirror(options));
      app.put('/put', mirror(options));
      app.all(version === '4' ? '/all/:id?' : '/all{/:id}', mirror(options));
      const url = await urlOf(app);
      pause({ run: 'r1' });
      const locations = ['/mounted', '/mounted/', '//mounted', '/put', '/all'].map(async (path) => {
        const { status, headers } = await put(url + path);
        return [status, headers.get('location')];
      });
      expect(await Promise.all(locations)).to.deep.equal([
        [409, '/mounted/r1'],
        [409, '/mounted/r1'],
        [503, null],
        [409, null],
        [409, '/all/r1'],
      ]);
    });

    it('that stands before a mirror() and passes requests on is not taken for its own', async () => {
      const app = express().use(gate());
      app.all(version === '4' ? '*' : '/{*rest}', (_req, _res, next) => next());
      app.all('/behind', (_req, _res, next) => next());
      app.use('/behind', mirror({ collection: 'resources' }));
      app.use('/fresh', mirror({ collection: 'resources' }));
      app.use('/nested', express.Router().put('/put', mirror({ collection: 'resources' })));
      const wrapped = mirror({ collection: 'resources' });
      const router = express.Router();
      router.put('/put', (req, res, next) => void wrapped(req, res, next));
      router.all('/all/:id', (req, res, next) => void wrapped(req, res, next));
      app.use('/wrapped', router);
      const url = await urlOf(app);
      const run = { id: 'r1', kind: 'sync', state: 'draining', startedAt: new Date(0).toISOString() };
      answerWith(({ body }) =>
        body.op === 'run' && body.run === 'r1'
          ? { value: run }
          : {
              problem: {
                ...new QuiesceError('run-in-progress', 'Run r1 goes on.', { extra: { run: 'r1' } }).toProblem(),
              },
            },
      );
      const locations = ['/behind', '/nested/put', '/wrapped/put'].map(async (path) => {
        const { status, headers } = await put(url + path);
        return [status, headers.get('location')];
      });
      expect(await Promise.all(locations)).to.deep.equal([
        [409, '/behind/r1'],
        [409, null],
        [409, null],
      ]);
      pause({ run: 'r1' });
      expect((await put(`${url}/fresh`)).status, 'in a pause, at a path that was never called').to.equal(409);
      const inPause = await fetch(`${url}/fresh/r1`);
      expect(inPause.status, 'a run, in a pause').to.equal(200);
      expect((await fetch(`${url}/elsewhere`)).status).to.equal(503);
      resume();
      for (const path of ['/behind/r1', '/wrapped/all/r1'])
        expect(await (await fetch(url + path)).json(), path).to.include({ id: 'r1' });
    });

    it('is known as one that asks for a run from its first call on, however Express keeps it', async () => {
      const hidden = express().post(
        '/job',
        exclusive((_req, res) => void res.send('done')),
      );
      const app = express().use(gate());
      // As a function that tells nothing of what is in it.
      app.use('/hidden', ((req, res, next) => (hidden as RequestHandler)(req, res, next)) as RequestHandler);
      const url = await urlOf(app);
      const post = async (): Promise<number> => (await fetch(`${url}/hidden/job`, { method: 'POST' })).status;
      answerWith(({ body }) => (body.op === 'claim' ? { value: { run: 'r1' } } : { value: null }));
      expect(await post()).to.equal(200);
      pause();
      expect(await post()).to.equal(200);
    });

    it('that stands before gate() is named when the app begins to listen', async () => {
      const app = express();
      app.get('/livez', (_req, res) => void res.send('ok'));
      app.post('/orders', (_req, res) => void res.send('ok'));
      app.use(gate({ except: ['/livez'] }));
      app.get('/after', (_req, res) => void res.send('ok'));
      const warned = once(process, 'warning');
      await urlOf(app);
      const [warning] = (await warned) as [Error & { code: string }];
      expect(warning.code).to.equal('QUIESCE_UNGATED');
      expect(warning.message).to.include('no pause holds them: POST /orders. ');
    });

    it('that stands before gate() is named wherever it is: in a router or an app that is mounted, in a list, as RegExp', async () => {
      const handler: RequestHandler = (_req, res) => void res.send('ok');
      const app = express();
      const inner = express.Router().delete('/:id', handler);
      inner.use('/again', inner); // a router may hold itself
      app.use('/api', express.Router().get('/orders', handler).use('/parts', inner).get('/free', handler));
      app.use(express.Router().put('/', handler));
      app.use('/sub', express().get('/x', handler));
      app.get(['/one', '/two', '/free'], handler);
      app.post(/^\/re/, handler);
      app.post(/^\/free/, handler);
      app.use(gate({ except: ['/api/free', '/free', /^\/free/] }));
      const warned = once(process, 'warning');
      await urlOf(app);
      const [{ message }] = (await warned) as [Error];
      expect(message).to.include(
        'GET /api/orders, DELETE /api/parts/:id, PUT /, any method /sub, GET /one, and 2 more. ',
      );
    });

    it('that stands before gate() is named at its place in the router, where that tells no plain path', async () => {
      const app = express();
      const router = express.Router().get('/orders', (_req, res) => void res.send('ok'));
      app.use(/^\/v\d/, router);
      app.use('/:tenant', router);
      app.use(gate());
      const warned = once(process, 'warning');
      await urlOf(app);
      const [{ message }] = (await warned) as [Error];
      const places = version === '4' ? ['…/orders', '…/orders'] : [String.raw`/^\/v\d//orders`, '/:tenant/orders'];
      expect(message).to.include(`no pause holds them: ${places.map((place) => `GET ${place}`).join(', ')}. `);
    });

    it('is the only thing that is named: middleware before gate(), and what a router has behind a gate(), is not', async () => {
      const handler: RequestHandler = (_req, res) => void res.send('ok');
      const app = express();
      app.use(cors(), express.json(), express.static('.'), (_req, _res, next) => next());
      app.use('/assets', express.static('.'));
      app.use('/api', express.Router().use(cors()).use(gate()).get('/orders', handler));
      app.use(express.Router().use(express.json()));
      app.use(gate());
      const warnings: Error[] = [];
      const keep = (warning: Error): void => void warnings.push(warning);
      process.on('warning', keep);
      try {
        await urlOf(app);
        await new Promise((resolve) => setImmediate(resolve)); // a warning is emitted in the next tick
      } finally {
        process.off('warning', keep);
      }
      expect(warnings.map(({ message }) => message)).to.deep.equal([]);
    });
  });
}

describe('what cannot work', () => {
  const handler: RequestHandler = (_req, res) => void res.end();
  const onError: ErrorRequestHandler = (_error, _req, res, _next) => void res.end();

  it('is refused when the app is loaded: two handlers for exclusive(), or one that asks for a run itself', () => {
    const two = exclusive as (...handlers: RequestHandler[]) => RequestHandler;
    expect(() => two(handler, handler)).to.throw(TypeError, 'takes one handler');
    expect(() => exclusive(exclusive(handler))).to.throw(TypeError, 'would wait for itself');
    expect(() => exclusive(mirror({ collection: 'x' }))).to.throw(TypeError, 'would wait for itself');
    expect(() => exclusive([handler] as never)).to.throw(TypeError, 'takes an Express handler');
    expect(() => exclusive(onError as never)).to.throw(TypeError, 'an Express handler');
  });

  it('is refused by listen(): no app, and what is neither a port nor a path', () => {
    expect(() => listen(undefined as never)).to.throw(TypeError, 'the Express app first');
    const app = express5();
    for (const wrong of ['abc', 70_000, -1, 1.5, Number.NaN])
      expect(() => listen(app, wrong), String(wrong)).to.throw(TypeError, "which has a '/'");
  });

  it('is said at start: a mirror() without a database', async () => {
    const warned = once(process, 'warning');
    mirror({ collection: 'resources' });
    const [warning] = (await warned) as [Error & { code: string }];
    expect(warning.code).to.equal('QUIESCE_NO_DATABASE');
    expect(warning.message).to.include('MONGODB_URI');
  });
});
