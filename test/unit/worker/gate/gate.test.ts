import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { gate } from '#quiesce/worker/gate/admission.js';
import { waitUntil } from '#quiesce/worker/gate/in-flight/wait-until.js';
import { isDrained, pause, resume, runtime, sent, tellPause } from '../fake-primary.ts';
import { connections, get, settle, until, useGatedServer } from './gated-server.ts';

describe('the gate', () => {
  const { appWith, serve, raw, held, handlerStarted, server } = useGatedServer();

  it('serves while it is open and refuses with 503, Retry-After and no-store while it is shut', async () => {
    const port = await serve(appWith());
    expect((await fetch(`http://127.0.0.1:${port}/ok`)).status).to.equal(200);
    pause();
    const response = await fetch(`http://127.0.0.1:${port}/ok`);
    expect(response.status).to.equal(503);
    expect(response.headers.get('retry-after')).to.match(/^[78]$/);
    expect(response.headers.get('cache-control')).to.equal('no-store');
    expect(response.headers.get('content-type')).to.equal('application/problem+json');
    expect(response.headers.get('connection')).to.equal('keep-alive');
    const problem = (await response.json()) as Record<string, unknown>;
    expect(problem).to.include({ code: 'paused', status: 503, instance: '/ok' });
    expect(problem['detail']).to.include('the nightly check');
    resume();
    expect((await fetch(`http://127.0.0.1:${port}/ok`)).status).to.equal(200);
  });

  it('shows a browser a page', async () => {
    const port = await serve(appWith());
    pause({ holds: [{ kind: 'operator', reason: '<b>moving</b>', since: '' }] });
    const response = await fetch(`http://127.0.0.1:${port}/ok`, {
      headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
    });
    expect(response.status).to.equal(503);
    expect(response.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    const page = await response.text();
    expect(page)
      .to.include('&lt;b&gt;moving&lt;/b&gt;')
      .and.to.match(/http-equiv="refresh" content="[78]"/);
  });

  it('names once what a pause waits for: the primary asks again at each beat, and would be answered for ever', async () => {
    const port = await serve(appWith());
    const running = handlerStarted();
    await raw(port, get('/hold'));
    await running;
    const before = sent.length;
    tellPause(5);
    await settle();
    expect(runtime().gate.state).to.equal('shut');
    const beats = sent.slice(before).filter(({ type }) => type === 'heartbeat');
    expect(beats).to.have.lengthOf(1);
    expect(beats[0]).to.have.nested.property('beat.oldest[0].path', '/hold');
  });

  it('counts a request whose client has gone until its handler has ended the response', async () => {
    const port = await serve(appWith());
    const running = handlerStarted();
    const socket = await raw(port, get('/hold'));
    await running;
    pause();
    socket.destroy();
    await once(held[0]!, 'close');
    await settle();
    expect(isDrained(), 'drained while the handler still runs').to.equal(false);
    expect(runtime().gate.oldest()[0]).to.include({ method: 'GET', path: '/hold', clientGone: true });
    held[0]!.end('too late');
    expect(isDrained()).to.equal(true);
  });

  it('counts each of several pipelined requests, also when their client leaves', async () => {
    const port = await serve(appWith());
    const running = [handlerStarted(), handlerStarted(), handlerStarted()];
    const socket = await raw(port, get('/hold') + get('/hold') + get('/hold'));
    await Promise.all(running);
    expect(runtime().gate.inFlight).to.equal(3);
    pause();
    socket.destroy();
    await until(
      () =>
        runtime()
          .gate.oldest()
          .every((request) => request.clientGone),
      'the gate to notice that the client has gone',
    );
    expect(runtime().gate.inFlight).to.equal(3);
    held[2]!.end();
    held[0]!.end();
    expect(isDrained()).to.equal(false);
    held[1]!.end();
    expect(isDrained()).to.equal(true);
  });

  it('settles pipelined requests that had been answered when their client leaves', async () => {
    const port = await serve(appWith());
    const running = [handlerStarted(), handlerStarted()];
    const socket = await raw(port, get('/hold') + get('/hold'));
    await Promise.all(running);
    held[1]!.end('queued behind the first'); // its turn never comes
    pause();
    socket.destroy();
    await until(() => runtime().gate.inFlight === 1, 'the answered one to settle');
    held[0]!.end();
    expect(isDrained()).to.equal(true);
  });

  it('waits a moment for a large response that its handler has ended, and not for a client that does not read', async () => {
    const big = Buffer.alloc(64 * 1024 * 1024);
    const port = await serve(appWith({}, (app) => app.get('/big', (_req, res) => void res.end(big))));
    const socket = await raw(port, get('/big'));
    socket.pause();
    await until(() => runtime().gate.inFlight === 1, 'the request to come in');
    pause();
    expect(isDrained()).to.equal(false);
    await until(isDrained, 'the drain');
    expect(socket.destroyed).to.equal(false);
  });

  it('settles a download that its client aborts, though its handler never ends the response', async () => {
    const endless = (): Readable => new Readable({ read() { this.push(Buffer.alloc(65536)); } }); // prettier-ignore
    const port = await serve(
      appWith({}, (app) =>
        app.get('/pipe', (_req, res) => {
          const source = endless();
          source.pipe(res);
          res.on('close', () => source.destroy()); // as express's sendFile does it
        }),
      ),
    );
    const socket = await raw(port, get('/pipe'));
    await once(socket, 'data');
    pause();
    socket.destroy();
    await until(isDrained, 'the drain');
  });

  it('keeps a request in flight until what it waits for has settled', async () => {
    let done!: () => void;
    const work = new Promise<void>((resolve) => (done = resolve));
    const port = await serve(
      appWith({}, (app) =>
        app.get('/later', (req, res) => {
          void waitUntil(req, work);
          res.send('accepted');
        }),
      ),
    );
    expect((await fetch(`http://127.0.0.1:${port}/later`)).status).to.equal(200);
    await settle();
    pause();
    expect(isDrained()).to.equal(false);
    done();
    await until(isDrained, 'the drain');
  });

  for (const phase of ['serves', 'drains'] as const) {
    it(`keeps a request in flight that waits for work which begins when its response has gone out, as it ${phase}`, async () => {
      let done!: () => void;
      const work = new Promise<void>((resolve) => (done = resolve));
      const port = await serve(
        appWith({}, (app) =>
          app.get('/after', (req, res) => {
            res.on('finish', () => void waitUntil(req, work));
            if (phase === 'drains') pause();
            res.send('accepted');
          }),
        ),
      );
      expect((await fetch(`http://127.0.0.1:${port}/after`)).status).to.equal(200);
      await settle();
      expect(runtime().gate.inFlight).to.equal(1);
      if (phase === 'serves') pause();
      expect(isDrained()).to.equal(false);
      done();
      await until(isDrained, 'the drain');
    });
  }

  it('has counted each request, and how long it took, as soon as somebody looks', async () => {
    const { gate: worker } = runtime();
    const counted = (): number => worker.times.counts.reduce((sum, count) => sum + count, 0);
    const before = { served: worker.served, counted: counted() };
    const port = await serve(appWith());
    for (let request = 1; request <= 3; request++) {
      await (await fetch(`http://127.0.0.1:${port}/ok`)).text();
      expect(worker.inFlight).to.equal(0);
      expect({ served: worker.served, counted: counted() }).to.deep.equal({
        served: before.served + request,
        counted: before.counted + request,
      });
    }
  });

  it('counts requests of HTTP/2, of which node:http tells nothing', async () => {
    const running: Http2ServerResponse[] = [];
    const middleware = gate() as unknown as (req: unknown, res: unknown, next: () => void) => void;
    const http2 = createServer((req, res) => middleware(req, res, () => running.push(res)));
    http2.listen(0, '127.0.0.1');
    await once(http2, 'listening');
    const session = connect(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`);
    const answers = [session.request({ ':path': '/a' }), session.request({ ':path': '/b' })];
    await until(() => running.length === 2, 'both to arrive');
    pause();
    expect(runtime().gate.inFlight).to.equal(2);
    running[0]!.end('answered');
    await once(answers[0]!.resume(), 'close');
    await until(() => runtime().gate.inFlight === 1, 'the answered one to settle');
    answers[1]!.close();
    await once(running[1]!, 'close');
    expect(isDrained(), 'drained while the handler still runs').to.equal(false);
    running[1]!.end();
    await until(isDrained, 'the drain');
    session.close();
    http2.close();
  });

  it('refuses waitUntil once the request has settled', async () => {
    let late: unknown;
    const port = await serve(
      appWith({}, (app) =>
        app.get('/late', (req, res) => {
          res.send('ok');
          res.on('close', () =>
            setImmediate(() => {
              try {
                void waitUntil(req, Promise.resolve());
              } catch (error) {
                late = error;
              }
            }),
          );
        }),
      ),
    );
    await fetch(`http://127.0.0.1:${port}/late`);
    await until(() => late !== undefined, 'the late call');
    expect(String(late)).to.include('too late');
  });

  it('lets excepted paths, and what lies below them, pass and does not count them', async () => {
    const port = await serve(appWith({ except: ['/hold', /^\/o.$/] }));
    pause();
    expect((await fetch(`http://127.0.0.1:${port}/ok`)).status).to.equal(200);
    expect((await fetch(`http://127.0.0.1:${port}/holder`)).status).to.equal(503);
    const running = handlerStarted();
    await raw(port, get('/hold'));
    await running;
    expect(runtime().gate.inFlight).to.equal(0);
  });

  it('lets reads pass with readOnly, and nothing else', async () => {
    const port = await serve(appWith({ readOnly: true }));
    pause();
    expect((await fetch(`http://127.0.0.1:${port}/ok`)).status).to.equal(200);
    expect((await fetch(`http://127.0.0.1:${port}/body`, { method: 'POST', body: 'x' })).status).to.equal(503);
  });

  it("holds requests with onPause: 'hold' until the resume, within its limits", async () => {
    const port = await serve(appWith({ onPause: 'hold', holdLimit: 2, holdTimeout: 60_000 }));
    pause();
    const waiting = [fetch(`http://127.0.0.1:${port}/ok`), fetch(`http://127.0.0.1:${port}/ok`)];
    await until(async () => (await connections(server())) >= 2, 'both to arrive');
    await settle();
    expect((await fetch(`http://127.0.0.1:${port}/ok`)).status, 'past holdLimit').to.equal(503);
    resume();
    for (const response of await Promise.all(waiting)) expect(response.status).to.equal(200);
  });

  it('refuses a held request when holdTimeout is over', async () => {
    const port = await serve(appWith({ onPause: 'hold', holdTimeout: 50 }));
    pause();
    const started = performance.now();
    expect((await fetch(`http://127.0.0.1:${port}/ok`)).status).to.equal(503);
    expect(performance.now() - started).to.be.above(45);
  });

  it('ignores a pause and a resume of an older epoch', () => {
    const epoch = pause();
    runtime().gate.resume(epoch - 1);
    expect(runtime().gate.state).to.equal('shut');
    resume();
    runtime().gate.pause(epoch - 1, { holds: [], run: null, retryAfter: 0 });
    expect(runtime().gate.state).to.equal('open');
  });

  it('says what is wrong with its options', () => {
    expect(() => gate({ except: ['livez'] })).to.throw(TypeError, "begin with '/'");
    expect(() => gate({ onPause: 'wait' as never })).to.throw(TypeError, "'refuse' or 'hold'");
    expect(() => gate({ holdTimout: 5 } as never)).to.throw(TypeError, "no option 'holdTimout'");
  });
});
