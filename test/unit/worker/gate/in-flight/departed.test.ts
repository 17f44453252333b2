/** Clients that leave early, and the handlers that Express apps have for them. */
import { expect } from 'chai';
import express, { type Express, type RequestHandler } from 'express';
import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createTls, type Server } from 'node:https';
import { connect as connectTls } from 'node:tls';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { scratchFolders } from '../../../scratch.ts';
import { isDrained, pause, runtime } from '../../fake-primary.ts';
import { get, settle, until, useGatedServer } from '../gated-server.ts';

describe('a request whose client leaves early', () => {
  const { appWith, serve, raw, held, handlerStarted } = useGatedServer();
  const scratch = scratchFolders();
  let tls: Server | undefined;
  afterEach(() => void tls?.close());

  function file(size = 4_000_000): string {
    const name = path.join(scratch(), 'file');
    writeFileSync(name, Buffer.alloc(size, 'x'));
    return name;
  }

  async function inFlight(count: number): Promise<void> {
    await until(() => runtime().gate.inFlight === count, `${count} requests in flight`);
  }

  /** A client that leaves when the handler has begun, or has written something. */
  async function leave(app: Express, when: 'begun' | 'written' = 'written'): Promise<void> {
    const port = await serve(app);
    const client = await raw(port, get('/it'));
    if (when === 'begun') await inFlight(1);
    else await once(client, 'data');
    client.resetAndDestroy();
  }

  const appThat = (handler: RequestHandler): Express =>
    appWith({}, (app) => void app.set('env', 'test').get('/it', handler));

  it('is over when express.static has noticed that, at whatever moment the client left', async () => {
    const folder = path.dirname(file(3_000_000));
    const port = await serve(appWith({}, (app) => void app.use('/public', express.static(folder))));
    const clients = Array.from({ length: 60 }, async (_, index) => {
      const client = await raw(port, get('/public/file'));
      if (index % 3 === 1) await new Promise((resolve) => setImmediate(resolve));
      if (index % 3 === 2) await once(client, 'data');
      if (index % 2) client.resetAndDestroy();
      else client.destroy();
    });
    await Promise.all(clients);
    pause();
    await until(isDrained, 'the drain');
  });

  const overByItself: Record<string, RequestHandler> = {
    'sends a file after it has left': async (req, res) => {
      await once(req, 'close');
      res.sendFile(file());
    },
    'pipes a file with pipeline() after it has left': async (req, res) => {
      await once(req, 'close');
      await pipeline(createReadStream(file()), res);
    },
    'fails when the head is sent': (_req, res, next) => {
      res.write('row');
      res.on('close', () => next(new Error('the database is away')));
    },
    'writes what a generator makes with pipeline()': async (_req, res) => {
      await pipeline(Readable.from(endless()), res);
    },
  };
  for (const [what, handler] of Object.entries(overByItself)) {
    it(`is over when a handler ${what}`, async () => {
      await leave(appThat(handler), what.includes('after') ? 'begun' : 'written');
      await inFlight(0);
    });
  }

  const closed: Record<string, RequestHandler> = {
    'an error after the head, as Express answers it': (_req, res, next) => {
      res.write('row');
      setImmediate(() => next(new Error('the database is away')));
    },
    'res.destroy()': (_req, res) => void res.destroy(),
    'req.destroy() with an error': (req) => void req.destroy(new Error('enough')),
    'req.socket.destroy() after a part of it': (req, res) => {
      res.write('part', () => req.socket.destroy());
    },
  };
  for (const [what, handler] of Object.entries(closed)) {
    it(`is over when its handler closes the connection: ${what}`, async () => {
      const port = await serve(appThat(handler));
      const client = await raw(port, get('/it'));
      await once(client.resume(), 'close');
      await inFlight(0);
    });
  }

  const nobodys: Record<string, RequestHandler> = {
    'an event stream that only stops its timer': (req, res) => {
      res.write('data: 1\n\n');
      const timer = setInterval(() => res.write('data: more\n\n'), 5);
      req.on('close', () => clearInterval(timer));
    },
    'a file that is only piped': (_req, res) => void createReadStream(file()).pipe(res),
    'a loop that only looks whether it is read': async (_req, res) => {
      while (!res.destroyed) {
        res.write('more');
        await delay(5);
      }
    },
  };
  for (const [what, handler] of Object.entries(nobodys)) {
    it(`keeps no drain from its end when nobody holds its response any more: ${what}`, async () => {
      await leave(appThat(handler));
      pause();
      await until(isDrained, 'the drain');
    });
  }

  it('is waited for as long as its handler works and will not end it', async () => {
    let work = (): void => {};
    const working = new Promise<void>((resolve) => (work = resolve));
    const handler: RequestHandler = async (_req, res) => {
      res.write('more');
      await working;
    };
    await leave(appThat(handler));
    await until(() => runtime().gate.oldest()[0]?.clientGone === true, 'the gate to notice');
    pause();
    await delay(400); // more than the first search takes
    expect(isDrained()).to.equal(false);
    work();
    await until(isDrained, 'the drain');
  });

  it('is waited for while a session is written, whose store ends the response later', async () => {
    let save = (): void => {};
    const port = await serve(
      appWith({}, (app) => {
        app.use((_req, res, next) => {
          const { end } = res;
          res.end = ((...args: unknown[]) => {
            save = () => void Reflect.apply(end, res, args);
            return res;
          }) as typeof end;
          next();
        });
        app.get('/it', (_req, res) => {
          res.on('close', () => res.end()).write('part');
        });
      }),
    );
    const client = await raw(port, get('/it'));
    await once(client, 'data');
    pause();
    client.destroy();
    await until(() => runtime().gate.oldest()[0]?.clientGone === true, 'the gate to notice');
    expect(isDrained()).to.equal(false);
    save();
    expect(isDrained()).to.equal(true);
  });

  it('is waited for when it was cut off, or its connection had a time limit: its handler may be at work', async () => {
    const port = await serve(appWith());
    const running = [handlerStarted(), handlerStarted()];
    const cut = await raw(port, get('/hold'));
    const late = await raw(port, get('/hold'));
    await Promise.all(running);
    held[1]!.setTimeout(5);
    await once(late.resume(), 'close');
    runtime().gate.cut(pause());
    await once(cut.resume(), 'close');
    await settle();
    expect(
      runtime()
        .gate.oldest()
        .map(({ clientGone }) => clientGone),
    ).to.deep.equal([true, true]);
    for (const res of held) res.end();
    expect(isDrained()).to.equal(true);
  });

  it('is one of several on its connection: which of their handlers closes that cannot be told', async () => {
    const port = await serve(appWith());
    const running = [handlerStarted(), handlerStarted()];
    const client = await raw(port, get('/hold') + get('/hold'));
    await Promise.all(running);
    const { socket } = held[0]!.req;
    client.destroy();
    await until(
      () =>
        runtime()
          .gate.oldest()
          .every(({ clientGone }) => clientGone),
      'the gate to notice',
    );
    socket.destroy();
    expect(runtime().gate.inFlight).to.equal(2);
  });

  it('is told from one that its handler closes over TLS as well', async function () {
    const pem = certificate(scratch());
    if (pem === null) return this.skip();
    const seen: number[] = [];
    const app = appWith({}, (it) => {
      it.get('/closed', (req) => void req.socket.destroy());
    });
    tls = createTls(pem, app).listen(0, '127.0.0.1');
    await once(tls, 'listening');
    const { port } = tls.address() as { port: number };
    for (const [url, leaves] of [
      ['/closed', false],
      ['/hold', 'end'],
      ['/hold', 'reset'],
    ] as const) {
      const socket = await raw(port);
      const client = connectTls({ socket, rejectUnauthorized: false }).on('error', () => {});
      await once(client, 'secureConnect');
      const running = leaves === false ? null : handlerStarted();
      client.write(get(url));
      await running;
      if (leaves === 'end') client.destroy();
      if (leaves === 'reset') socket.resetAndDestroy();
      await (leaves === false ? once(client.resume(), 'close') : once(held.at(-1)!, 'close'));
      await settle();
      seen.push(runtime().gate.inFlight);
    }
    expect(seen).to.deep.equal([0, 1, 2]);
  });
});

/** Null where there is no openssl. */
function certificate(folder: string): { key: string; cert: string } | null {
  const options = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x -keyout key -out cert';
  if (spawnSync('openssl', ['req', ...options.split(' ')], { cwd: folder }).status !== 0) return null;
  const [key, cert] = ['key', 'cert'].map((name) => readFileSync(path.join(folder, name), 'utf8'));
  return { key: key!, cert: cert! };
}

async function* endless(): AsyncGenerator<string> {
  for (;;) {
    yield 'row\n';
    await delay(1);
  }
}
