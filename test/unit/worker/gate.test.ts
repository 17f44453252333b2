import { expect } from 'chai';
import express, { type Express } from 'express';
import { once } from 'node:events';
import http, { type Server } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { gate } from '#quiesce/worker/admission.js';
import { listen } from '#quiesce/worker/listen.js';
import { waitUntil } from '#quiesce/worker/wait-until.js';
import { isDrained, pause, resume, runtime } from './fake-primary.js';

/** A handler that the test ends when it likes. */
interface Held {
  readonly res: http.ServerResponse;
}

describe('the gate', () => {
  let server: Server | undefined;
  const sockets: Socket[] = [];
  const held: Held[] = [];
  const started: (() => void)[] = [];

  afterEach(async () => {
    for (const { res } of held.splice(0)) res.end();
    for (const socket of sockets.splice(0)) socket.destroy();
    resume();
    server?.closeAllConnections();
    server?.close();
    await until(() => runtime().gate.inFlight === 0, 'every request to settle after the test');
  });

  function appWith(options?: Parameters<typeof gate>[0], more: (app: Express) => void = () => {}): Express {
    const app = express();
    app.use(gate(options));
    app.get('/ok', (_req, res) => void res.send('ok'));
    app.get('/hold', (_req, res) => {
      held.push({ res });
      started.shift()?.();
    });
    app.post('/body', (req, res) => {
      req.resume().on('end', () => res.send('read'));
    });
    more(app);
    return app;
  }

  async function serve(app: Express): Promise<number> {
    server = listen(app, 0);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function raw(port: number, text = ''): Promise<Socket & { received: string }> {
    const socket = Object.assign(net.connect(port, '127.0.0.1'), { received: '' });
    sockets.push(socket);
    socket.on('data', (chunk) => (socket.received += String(chunk))).on('error', () => {});
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  }

  function handlerStarted(): Promise<void> {
    return new Promise((resolve) => started.push(resolve));
  }

  const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

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
    const response = await fetch(`http://127.0.0.1:${port}/ok`, { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
    expect(response.status).to.equal(503);
    expect(response.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    const page = await response.text();
    expect(page).to.include('&lt;b&gt;moving&lt;/b&gt;').and.to.match(/http-equiv="refresh" content="[78]"/);
  });

  it('counts a request whose client has gone until its handler has ended the response', async () => {
    const port = await serve(appWith());
    const running = handlerStarted();
    const socket = await raw(port, get('/hold'));
    await running;
    pause();
    socket.destroy();
    await once(held[0]!.res, 'close');
    await settle();
    expect(isDrained(), 'drained while the handler still runs').to.equal(false);
    expect(runtime().gate.oldest()[0]).to.include({ method: 'GET', path: '/hold', clientGone: true });
    held[0]!.res.end('too late');
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
    await until(() => runtime().gate.oldest().every((request) => request.clientGone), 'the gate to notice that the client has gone');
    expect(runtime().gate.inFlight).to.equal(3);
    held[2]!.res.end();
    held[0]!.res.end();
    expect(isDrained()).to.equal(false);
    held[1]!.res.end();
    expect(isDrained()).to.equal(true);
  });

  it('settles pipelined requests that had been answered when their client leaves', async () => {
    const port = await serve(appWith());
    const running = [handlerStarted(), handlerStarted()];
    const socket = await raw(port, get('/hold') + get('/hold'));
    await Promise.all(running);
    held[1]!.res.end('queued behind the first'); // its turn never comes
    pause();
    socket.destroy();
    await until(() => runtime().gate.inFlight === 1, 'the answered one to settle');
    held[0]!.res.end();
    expect(isDrained()).to.equal(true);
  });

  it('counts a large response until the client has read it or left', async () => {
    const big = Buffer.alloc(64 * 1024 * 1024);
    const port = await serve(appWith({}, (app) => app.get('/big', (_req, res) => void res.end(big))));
    const socket = await raw(port, get('/big'));
    socket.pause();
    await until(() => runtime().gate.inFlight === 1, 'the request to come in');
    pause();
    await settle();
    expect(isDrained()).to.equal(false);
    socket.destroy();
    await until(isDrained, 'the drain');
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

  it('asks for a body that is expected only when a handler reads it, and never when it refuses', async () => {
    const port = await serve(appWith());
    const head = 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
    const open = await raw(port, head);
    await until(() => open.received.includes('100 Continue'), 'the go-ahead');
    open.write('hello');
    await until(() => open.received.includes('200 OK'), 'the answer');
    pause();
    const shut = await raw(port, head);
    await until(() => shut.received.includes('503'), 'the refusal');
    expect(shut.received).to.not.include('100 Continue');
  });

  it('answers the whole refusal to a client that is still sending, and closes that connection only', async () => {
    const port = await serve(appWith());
    pause();
    const socket = await raw(port, 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n');
    const chunk = Buffer.alloc(1_000_000);
    for (let i = 0; i < 10; i++) socket.write(chunk);
    await once(socket, 'close');
    expect(socket.received).to.include('503').and.to.match(/connection: close/i).and.to.include('"code":"paused"');
  });

  it('gates upgrades, and stops counting one when its handshake is answered', async () => {
    const port = await serve(appWith());
    const upgrades: Socket[] = [];
    server!.on('upgrade', (_req, socket) => upgrades.push(socket as Socket));
    const upgrade = get('/socket', 'Connection: Upgrade\r\nUpgrade: echo\r\n');
    await raw(port, upgrade);
    await until(() => upgrades.length === 1, 'the upgrade');
    expect(runtime().gate.inFlight).to.equal(1);
    upgrades[0]!.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    expect(runtime().gate.inFlight).to.equal(0);
    pause();
    const refused = await raw(port, upgrade);
    await until(() => refused.received.includes('503'), 'the refusal');
    expect(upgrades).to.have.length(1);
    upgrades[0]!.destroy();
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
    await until(async () => (await connections(server!)) >= 2, 'both to arrive');
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

/** Lets everything that is already under way happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))));
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what}.`);
    await delay(2);
  }
}
