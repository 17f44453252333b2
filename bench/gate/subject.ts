/**
 * Prints what a request to an Express app costs, ns of processor time: the least of several rounds, over connections in
 * memory, so that the kernel's part is left out. argv: none | gate | excepting | server
 */
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import express from 'express';
import { gate } from '#quiesce/worker/gate/admission.js';
import { gateServersWithout } from '#quiesce/worker/gate/auto-gate.js';
import { getRuntime, provideLocalPrimary } from '#quiesce/worker/process/runtime.js';

const connections = 20;
const requests = 750;
const warmUp = 5;
const rounds = 6;

const kind = process.argv[2];
const app = express();
if (kind !== 'none') {
  provideLocalPrimary(() => (_message, done) => done(null));
  const runtime = getRuntime();
  runtime.gate.resume(0);
  if (kind === 'server') gateServersWithout(runtime);
  if (kind === 'gate') app.use(gate());
  if (kind === 'excepting') app.use(gate({ except: ['/livez', /^\/static\//] }));
}
app.get('/', (_req, res) => void res.json({ ok: true }));
const listening = app.listen(0, '127.0.0.1');
await once(listening, 'listening');

const request = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n');

/** The server's end of a connection whose client asks again as soon as it has its answer. */
class Connection extends Duplex {
  #left = 0;
  #done = (): void => {};

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done();
    this.#answered();
  }

  override _writev(_chunks: unknown, done: () => void): void {
    done();
    this.#answered();
  }

  /** What node:http sets on a socket. */
  setTimeout(): this {
    return this;
  }

  ask(times: number): Promise<void> {
    this.#left = times - 1;
    this.push(request);
    return new Promise((resolve) => (this.#done = resolve));
  }

  #answered(): void {
    if (this.#left-- > 0) setImmediate(() => this.push(request));
    else this.#done();
  }
}

const clients = Array.from({ length: connections }, () => new Connection());
for (const client of clients) listening.emit('connection', client);
const costs: number[] = [];
for (let round = 0; round < warmUp + rounds; round++) {
  const before = process.cpuUsage();
  await Promise.all(clients.map((client) => client.ask(requests)));
  const { user, system } = process.cpuUsage(before);
  if (round >= warmUp) costs.push(((user + system) * 1_000) / (connections * requests));
}
console.log(Math.min(...costs));
process.exit();
