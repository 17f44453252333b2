/** Clients as a public site has them: patient ones, and such that leave, pipeline, read slowly or connect for each request. */
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { begin, json, send } from './lines.ts';

const random = (below: number): number => Math.floor(Math.random() * below);

/** What became of requests whose clients waited for it. */
export class Tally {
  readonly statuses = new Map<number, number>();
  /** Those that got no answer. */
  readonly failures: string[] = [];

  answered(status: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
  }
}

type Client = (url: string, tally: Tally) => Promise<void>;

async function waitFor(tally: Tally, what: string, reply: Promise<{ status: number }>): Promise<void> {
  await reply.then(
    ({ status }) => tally.answered(status),
    (error: unknown) => tally.failures.push(`${what}: ${String(error)}`),
  );
}

function keptAlive(path: () => string, method = 'GET'): () => Client {
  return () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    return (url, tally) => waitFor(tally, `${method} kept alive`, send(url + path(), { method, agent }));
  };
}

const oneConnectionEach: Client = (url, tally) =>
  waitFor(tally, 'new connection', send(`${url}/short?ms=${random(10)}`));

const uploader: Client = (url, tally) => {
  const headers = { Expect: '100-continue', 'Content-Length': '100000' };
  const { request, reply } = begin(`${url}/upload`, { method: 'POST', headers });
  request.on('continue', () => request.end(Buffer.alloc(100_000)));
  return waitFor(tally, 'POST with Expect', reply).finally(() => request.destroy());
};

const leaver: Client = async (url) => {
  const path = ['/orphan?ms=40', '/linger?ms=40', '/large'][random(3)]!;
  const { request } = begin(url + path);
  request.on('error', () => {}).end();
  await delay(random(25));
  request.destroy();
};

/** Five at once on one connection; every third time it leaves before they are answered. */
const pipeliner: Client = async (url, tally) => {
  const socket = await open(url);
  const count = 5;
  const one = (): string => `GET /${random(2) ? 'short' : 'linger'}?ms=${random(15)} HTTP/1.1\r\nHost: x\r\n\r\n`;
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(Array.from({ length: count }, one).join(''));
  const statuses = (): number[] => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  if (random(3) === 0) {
    await delay(random(20));
  } else {
    const gone = closed.then(() => true);
    while (statuses().length < count) if (await Promise.race([gone, delay(2, false)])) break;
    for (const status of statuses()) tally.answered(status);
    for (let missing = statuses().length; missing < count; missing += 1) tally.failures.push('pipelined: closed');
  }
  socket.destroy();
};

/** Takes a large answer in sips, and half of the time not to its end. */
const slowReader: Client = async (url, tally) => {
  const socket = await open(url);
  socket.pause();
  socket.write('GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let head = '';
  const sips = random(2) ? 3 : Infinity;
  for (let sip = 0; sip < sips && !socket.readableEnded; sip += 1) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null && head === '') head = chunk.toString('latin1', 0, 16);
    if (socket.destroyed) break;
    await delay(chunk === null ? 5 : random(30));
  }
  if (head !== '') tally.answered(Number(head.slice(9, 12)));
  else if (sips === Infinity) tally.failures.push('slow reader: closed');
  socket.destroy();
};

/** A feed of which everything is new; some leave in the middle of it. */
function syncer(): Client {
  return async (url, tally) => {
    const round = Date.now() + Math.random();
    const body = JSON.stringify(Array.from({ length: 1_000 }, (_, id) => ({ id, round })));
    if (random(5) === 0) {
      const { request } = begin(`${url}/api/sync`, { method: 'PUT', headers: json });
      request.on('error', () => {}).write(body.slice(0, 100));
      await delay(random(20));
      return void request.destroy();
    }
    await waitFor(tally, 'PUT', send(`${url}/api/sync`, { method: 'PUT', headers: json, body }));
    await delay(random(150));
  };
}

const aloneAndLeaves: Client = async (url) => {
  const { request } = begin(`${url}/alone?ms=30`, { method: 'POST' });
  request.on('error', () => {}).end();
  await delay(random(40));
  request.destroy();
  await delay(100 + random(200));
};

const alone: Client = async (url, tally) => {
  const path = random(5) === 0 ? '/fails' : `/alone?ms=${random(30)}`;
  await waitFor(tally, 'POST alone', send(url + path, { method: 'POST' }));
  await delay(random(150));
};

const clients: readonly Client[] = [
  ...Array.from(
    { length: 5 },
    keptAlive(() => `/short?ms=${random(20)}`),
  ),
  ...Array.from(
    { length: 3 },
    keptAlive(() => `/linger?ms=${random(40)}`),
  ),
  keptAlive(() => '/free?ms=20')(),
  oneConnectionEach,
  oneConnectionEach,
  uploader,
  leaver,
  leaver,
  leaver,
  pipeliner,
  pipeliner,
  slowReader,
  slowReader,
  syncer(),
  syncer(),
  alone,
  alone,
  aloneAndLeaves,
];

/** All of them at once, until it is enough. Resolves when the last of them has its answer. */
export async function rudeTraffic(url: string, isEnough: () => boolean): Promise<Tally> {
  const tally = new Tally();
  const go = async (client: Client): Promise<void> => {
    while (!isEnough()) {
      await client(url, tally);
      await delay(1); // the workers need the processors more
    }
  };
  await Promise.all(clients.map(go));
  return tally;
}

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on('error', () => {});
  await once(socket, 'connect');
  return socket;
}
