/** A gated app on a real port, and clients that speak HTTP by hand. */
import express, { type Express } from 'express';
import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gate, type GateOptions } from '#quiesce/worker/gate/admission.js';
import { listen } from '#quiesce/worker/gate/listen.js';
import { resume, runtime } from '../fake-primary.ts';

export type RawClient = Socket & { received: string };

export interface GatedServer {
  /** `/ok` answers, `/hold` waits for the test, `/body` reads what it is sent. */
  appWith(options?: GateOptions, more?: (app: Express) => void): Express;
  serve(app: Express): Promise<number>;
  raw(port: number, text?: string): Promise<RawClient>;
  /** The responses of `/hold`, in order, for the test to end. */
  readonly held: ServerResponse[];
  /** The next call of `/hold`. */
  handlerStarted(): Promise<void>;
  server(): Server;
}

/** In a `describe`: each test starts with an open gate and leaves nothing behind. */
export function useGatedServer(): GatedServer {
  let server: Server | undefined;
  const sockets: Socket[] = [];
  const held: ServerResponse[] = [];
  const started: (() => void)[] = [];

  afterEach(async () => {
    for (const res of held.splice(0)) res.end();
    for (const socket of sockets.splice(0)) socket.destroy();
    resume();
    server?.closeAllConnections();
    server?.close();
    await until(() => runtime().gate.inFlight === 0, 'every request to settle after the test');
  });

  return {
    held,
    appWith(options, more = () => {}) {
      const app = express();
      app.use(gate(options));
      app.get('/ok', (_req, res) => void res.send('ok'));
      app.get('/hold', (_req, res) => {
        held.push(res);
        started.shift()?.();
      });
      app.post('/body', (req, res) => {
        req.resume().on('end', () => res.send('read'));
      });
      more(app);
      return app;
    },
    async serve(app) {
      server = listen(app, 0);
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    },
    async raw(port, text = '') {
      const socket = Object.assign(net.connect(port, '127.0.0.1'), { received: '' });
      sockets.push(socket);
      socket.on('data', (chunk) => (socket.received += String(chunk))).on('error', () => {});
      await once(socket, 'connect');
      socket.write(text);
      return socket;
    },
    handlerStarted: () => new Promise((resolve) => started.push(resolve)),
    server: () => server!,
  };
}

export const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

/** Lets everything that is already under way happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 20_000; // a busy machine needs more than 5 s for a search of a large heap
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what}.`);
    await delay(2);
  }
}
