import { expect } from 'chai';
import express5, { type NextFunction, type Request, type Response } from 'express';
import express4 from 'express4';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QuiesceError } from '#quiesce/errors.js';
import { gate } from '#quiesce/worker/gate/admission.js';
import { exclusive } from '#quiesce/worker/gate/exclusive/exclusive.js';
import { until } from '../gated-server.ts';
import { mirror } from '#quiesce/worker/feed/mirror-route.js';
import { answerWith, isDrained, pause, resume, runtime, sent, tell } from '../../fake-primary.ts';

for (const [version, express] of [
  ['4', express4],
  ['5', express5],
] as const)
  describe(`requests for a run, at a gate of Express ${version}`, () => {
    let server: Server;
    let url: string;
    /** What the last exclusive handler saw. */
    let during: { inFlight: number; drained: boolean } | null = null;
    let middlewareRan = false;
    const stuck: Response[] = [];
    const stuckAt = (path: string): Promise<void> => until(() => stuck.length > 0, `a handler at ${path}`);

    before(async () => {
      const app = express();
      app.use(gate());
      app.use((_req, _res, next) => {
        middlewareRan = true;
        next();
      });
      const nested = express.Router();
      nested.post('/reindex', exclusive(async (_req, res) => {
      during = { inFlight: runtime().gate.inFlight, drained: isDrained() };
      await Promise.resolve();
      res.send('done');
    })); // prettier-ignore
      app.use('/admin', nested);
      app.post('/stuck', exclusive((req, res) => {
        stuck.push(res);
        if (req.query['begun'] !== undefined) res.write('the first part');
      })); // prettier-ignore
      app.post('/throws', exclusive(() => Promise.reject(new Error('on purpose')))); // prettier-ignore
      app.use('/api/sync', mirror({ collection: 'resources' }));
      app.post('/plain', (_req, res) => void res.send('plain'));
      app.use(
        (_error: unknown, _req: Request, res: Response, _next: NextFunction) => void res.status(500).send('failed'),
      );
      server = app.listen(0);
      await once(server, 'listening');
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });

    after(() => server.close());

    afterEach(() => {
      resume();
      answerWith(() => ({}));
      middlewareRan = false;
    });

    it('answers for a handler whose run has been ended, does not release it, and cuts no answer short as if it were whole', async () => {
      const before = releases().length;
      answerWith(({ body }) => (body.op === 'claim' ? { value: { run: `ended ${body.path}`, epoch: 1 } } : {}));
      const problem = new QuiesceError('run-cancelled', 'Somebody ended it.').toProblem();
      const end = (path: string): void => tell({ type: 'run-ended', run: `ended ${path}`, problem });
      const answer = fetch(`${url}/stuck`, { method: 'POST' });
      await stuckAt('/stuck');
      end('/stuck');
      expect(await (await answer).json()).to.include({ code: 'run-cancelled', status: 500 });
      const begun = await fetch(`${url}/stuck?begun`, { method: 'POST' });
      end('/stuck');
      const text = begun.text().then(
        () => 'whole',
        () => 'cut short',
      );
      expect(releases()).to.have.length(before);
      for (const { socket } of stuck.splice(0)) socket?.destroy();
      expect(await text).to.equal('cut short');
    });

    const releases = (): unknown[] =>
      sent.flatMap((message) => (message.type === 'request' && message.body.op === 'release' ? [message.body] : []));

    it('exempts the request itself from the drain that it asks for, and releases the run when it has settled', async () => {
      answerWith(({ body }) => {
        if (body.op !== 'claim') return { value: null };
        pause({ run: 'r1' });
        return { value: { run: 'r1' } };
      });
      const response = await fetch(`${url}/admin/reindex`, { method: 'POST' });
      expect(response.status).to.equal(200);
      expect(during).to.deep.equal({ inFlight: 0, drained: true });
      await response.text();
      await turn();
      expect(releases().at(-1)).to.deep.equal({ op: 'release', run: 'r1' });
    });

    it('releases the run of a handler that throws', async () => {
      answerWith(({ body }) => (body.op === 'claim' ? { value: { run: 'r2' } } : { value: null }));
      const response = await fetch(`${url}/throws`, { method: 'POST' });
      expect(response.status).to.equal(500);
      await turn();
      expect(releases().at(-1)).to.deep.equal({ op: 'release', run: 'r2' });
    });

    it('is not called where the lease of its host is over when it is granted, and gives the run back', async () => {
      answerWith(({ body }) => {
        if (body.op !== 'claim') return { value: null };
        runtime().gate.lease = { isOver: () => true, renew: () => {} };
        return { value: { run: 'late' } };
      });
      during = null;
      const response = await fetch(`${url}/admin/reindex`, { method: 'POST' });
      runtime().gate.lease = null;
      expect(await response.json()).to.include({ code: 'database-unavailable', status: 503 });
      expect(during).to.equal(null);
      expect(releases().at(-1)).to.deep.equal({ op: 'release', run: 'late' });
    });

    it('passes on what the primary refuses with', async () => {
      answerWith(() => ({
        problem: {
          type: 'urn:quiesce:problem:drain-timeout',
          title: 't',
          status: 503,
          detail: 'GET /slow',
          code: 'drain-timeout',
          waitingFor: [],
        },
      }));
      const response = await fetch(`${url}/admin/reindex`, { method: 'POST' });
      expect(response.status).to.equal(503);
      expect(await response.json()).to.include({ code: 'drain-timeout', detail: 'GET /slow' });
      expect(response.headers.get('retry-after')).to.match(/^\d+$/);
    });

    it('answers 409 at the shut gate while a run is going on, before any other middleware', async () => {
      pause({ run: 'r3' });
      const nested = await fetch(`${url}/admin/reindex`, { method: 'POST' });
      expect(nested.status).to.equal(409);
      expect(await nested.json()).to.include({ code: 'run-in-progress', run: 'r3' });
      const feed = await fetch(`${url}/api/sync`, {
        method: 'PUT',
        body: '[]',
        headers: { 'Content-Type': 'application/json' },
      });
      expect(feed.status).to.equal(409);
      expect(feed.headers.get('location')).to.equal('/api/sync/r3');
      expect(middlewareRan).to.equal(false);
    });

    it('refuses everything else at the shut gate with 503', async () => {
      pause({ run: 'r4' });
      expect((await fetch(`${url}/plain`, { method: 'POST' })).status).to.equal(503);
      expect((await fetch(`${url}/admin/reindex`)).status, 'another method').to.equal(503);
      expect((await fetch(`${url}/api/syncing`)).status).to.equal(503);
    });

    it('lets a claim pass a gate that only an operator has shut', async () => {
      pause();
      answerWith(({ body }) => (body.op === 'claim' ? { value: { run: 'r5' } } : { value: null }));
      expect((await fetch(`${url}/admin/reindex`, { method: 'POST' })).status).to.equal(200);
    });

    it('shows the runs at any time', async () => {
      pause({ run: 'r6' });
      answerWith(({ body }) =>
        body.op === 'runs' ? { value: [] } : { value: { id: body.op === 'run' ? body.run : '' } },
      );
      expect(await (await fetch(`${url}/api/sync`)).json()).to.deep.equal({ items: [] });
      expect(await (await fetch(`${url}/api/sync/r6`)).json()).to.deep.equal({ id: 'r6' });
      const wrong = await fetch(`${url}/api/sync/r6`, { method: 'PUT' });
      expect(wrong.status).to.equal(409);
      resume();
      const other = await fetch(`${url}/api/sync`, { method: 'POST' });
      expect([other.status, other.headers.get('allow')]).to.deep.equal([405, 'GET, HEAD, PUT']);
    });
  });

describe('what a feed may look like, by its headers', () => {
  let server: Server;
  let url: string;

  before(async () => {
    const app = express5();
    app.use(gate());
    app.use('/api/sync', mirror({ collection: 'resources' }));
    app.put('/parsed', express5.json(), mirror({ collection: 'resources' }));
    server = app.listen(0);
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/sync`;
    answerWith(() => {
      throw new Error('nothing should be asked of the primary');
    });
  });

  after(() => {
    answerWith(() => ({}));
    server.close();
  });

  const cases: [string, Record<string, string>, number, string][] = [
    ['no type', {}, 415, 'unsupported-media-type'],
    ['another type', { 'Content-Type': 'text/csv' }, 415, 'unsupported-media-type'],
    ['another charset', { 'Content-Type': 'application/json; charset=latin1' }, 415, 'unsupported-media-type'],
    [
      'another coding',
      { 'Content-Type': 'application/json', 'Content-Encoding': 'compress' },
      415,
      'unsupported-media-type',
    ],
    [
      'two codings',
      { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip, br' },
      415,
      'unsupported-media-type',
    ],
    [
      'a malformed digest',
      { 'Content-Type': 'application/json', 'Content-Digest': 'sha-256=nope' },
      400,
      'digest-mismatch',
    ],
    [
      'a digest of the wrong length',
      { 'Content-Type': 'application/json', 'Content-Digest': 'sha-256=:AAAA:' },
      400,
      'digest-mismatch',
    ],
    [
      'a client behind a proxy without a token',
      { 'Content-Type': 'application/json', 'X-Forwarded-For': '203.0.113.7' },
      403,
      'forbidden',
    ],
  ];
  for (const [name, headers, status, code] of cases) {
    it(`refuses ${name} with ${status}, before anything is claimed`, async () => {
      const response = await fetch(url, { method: 'PUT', headers, body: new Uint8Array([91, 93]) });
      expect(response.status).to.equal(status);
      expect(await response.json()).to.include({ code, status });
      if (status === 415) {
        expect(response.headers.get('accept')).to.equal('application/json, application/x-ndjson');
        expect(response.headers.get('accept-encoding')).to.match(/^gzip, br/);
      }
    });
  }

  it('blames the app, not the client, where something else has read the body', async () => {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(new URL('/parsed', url), { method: 'PUT', headers, body: '[{"id":1}]' });
    expect(response.status).to.equal(500);
    const problem = (await response.json()) as { code: string; detail: string };
    expect(problem.code).to.equal('internal');
    expect(problem.detail).to.include('Put mirror() before express.json()');
  });
});

async function turn(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}
