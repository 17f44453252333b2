import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { WorkerStatus } from '#quiesce/protocol/api/runs.js';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/trouble.js', import.meta.url));
const killTimeout = 6_000;
/** How long a connection stays open after its last answer, ms. */
const linger = 1_000;

/** A bare connection: what a client library does with keep-alive is not what is looked at here. */
class Wire {
  readonly socket: Socket;
  text = '';
  ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8').on('data', (part: string) => (this.text += part));
    socket.on('error', () => {}).on('close', () => (this.ended = true));
  }

  static async open({ port }: Cluster): Promise<Wire> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Wire(socket);
  }

  send(path: string, more = ''): void {
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`);
  }

  /** So many whole answers, which must each have a body of JSON. */
  async answers(count: number): Promise<{ headers: string; pid: number }[]> {
    return until(`${count} answers`, () => {
      const found = [...this.text.matchAll(/HTTP\/1\.1 200 OK\r\n(.*?)\r\n\r\n\{"pid":(\d+)\}/gs)];
      const answers = found.map((match) => ({ headers: match[1]!, pid: Number(match[2]) }));
      return answers.length >= count ? answers : null;
    });
  }
}

const closes = /^connection: close$/im;

describe('a worker that stops', function () {
  this.timeout(60_000);
  const shared = useSharedPlainCluster({
    script: app,
    instances: 1,
    app: { kill_timeout: killTimeout },
    quiesce: { maintenance: { on_pause: 'hold' } },
  });

  afterEach('opened', () => shared.cluster.control.maintenance({ on: false }));

  /** The one that serves, which the test will stop. `said` waits until the log says that of it. */
  async function worker(): Promise<{ cluster: Cluster; pid: number; said: (what: string) => Promise<void> }> {
    const { cluster } = shared;
    const [{ slot, incarnation, pid }] = (await cluster.status()).workers as [WorkerStatus];
    return {
      cluster,
      pid: pid!,
      said: (what) => cluster.said(new RegExp(`worker ${slot}\\.${incarnation} ${what}`)),
    };
  }

  /** The worker has been told to finish. */
  const told = (cluster: Cluster): Promise<unknown> =>
    cluster.until('the old worker finishes', ({ workers }) => workers.some(({ state }) => state === 'stopping'));

  /** The worker knows that it is to finish: it says so on this connection. */
  async function knows(wire: Wire): Promise<void> {
    for (let count = 1; ; count++) {
      wire.send('/');
      if (closes.test((await wire.answers(count))[count - 1]!.headers)) return;
    }
  }

  it('answers one more request on a connection that was idle, and asks to close it', async () => {
    const { cluster, pid } = await worker();
    const wire = await Wire.open(cluster);
    wire.send('/');
    expect((await wire.answers(1))[0]!.headers).not.to.match(closes);
    const reload = cluster.control.reload();
    await told(cluster);
    wire.send('/');
    const second = (await wire.answers(2))[1]!;
    expect(second.headers).to.match(closes);
    expect(second.pid, 'by the old worker').to.equal(pid);
    await until('it is closed', () => wire.ended);
    await reload;
  });

  it('asks to close with the response that is in flight', async () => {
    const { cluster, pid } = await worker();
    const wire = await Wire.open(cluster);
    const other = await Wire.open(cluster);
    wire.send('/held');
    await cluster.until('it is in flight', ({ workers }) => workers[0]!.inFlight === 1);
    const reload = cluster.control.reload();
    await knows(other);
    process.kill(pid, 'SIGWINCH');
    expect((await wire.answers(1))[0]!.headers).to.match(closes);
    await reload;
  });

  it('leaves a connection whose stream has just ended the time for one more request', async () => {
    const { cluster } = await worker();
    const wire = await Wire.open(cluster);
    wire.socket.write('POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    await until('its answer has begun', () => wire.text.includes('piece'));
    const reload = cluster.control.reload();
    await told(cluster);
    await delay(linger - 100);
    wire.socket.write('0\r\n\r\n');
    await until('it has ended', () => wire.text.endsWith('0\r\n\r\n'));
    await delay(200);
    wire.send('/');
    expect((await wire.answers(1))[0]!.headers).to.match(closes);
    await reload;
  });

  it('answers what has arrived on an idle connection when it is to be closed and its event loop was busy', async () => {
    const { cluster } = await worker();
    const idle = await Wire.open(cluster);
    const busy = await Wire.open(cluster);
    for (const wire of [idle, busy]) {
      wire.send('/');
      await wire.answers(1);
    }
    const reload = cluster.control.reload();
    await told(cluster);
    busy.send(`/spin?ms=${linger + 500}`);
    await delay(linger);
    idle.send('/');
    expect((await idle.answers(2))[1]!.headers).to.match(closes);
    await reload;
  });

  it('answers what has arrived on a connection whose stream ended during the stop and its event loop was busy', async () => {
    const { cluster } = await worker();
    const wire = await Wire.open(cluster);
    wire.socket.write('POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    await until('its answer has begun', () => wire.text.includes('piece'));
    const busy = await Wire.open(cluster);
    busy.send('/');
    await busy.answers(1);
    const reload = cluster.control.reload();
    await told(cluster);
    wire.socket.write('0\r\n\r\n');
    await until('it has ended', () => wire.text.endsWith('0\r\n\r\n'));
    busy.send(`/spin?ms=${linger + 500}`);
    await delay(linger / 4);
    wire.send('/');
    expect((await wire.answers(1))[0]!.headers).to.match(closes);
    await until('it is closed', () => wire.ended);
    await reload;
  });

  it('answers all requests that are pipelined, and closes with the last', async () => {
    const { cluster, pid } = await worker();
    const wire = await Wire.open(cluster);
    const other = await Wire.open(cluster);
    for (let i = 0; i < 3; i++) wire.send('/held');
    await cluster.until('they are in flight', ({ workers }) => workers[0]!.inFlight === 3);
    const reload = cluster.control.reload();
    await knows(other);
    for (let i = 1; i < 3; i++) {
      process.kill(pid, 'SIGWINCH');
      await wire.answers(i);
    }
    process.kill(pid, 'SIGWINCH');
    const answers = await wire.answers(3);
    expect(answers.map(({ headers }) => closes.test(headers))).to.deep.equal([false, false, true]);
    await reload;
  });

  it('lets an upgraded connection work on, and is gone as soon as that ends', async () => {
    const { cluster, pid, said } = await worker();
    const wire = await Wire.open(cluster);
    wire.send('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n');
    await until('it is upgraded', () => wire.text.includes('101'));
    const reload = cluster.control.reload();
    await told(cluster);
    await delay(linger + 200);
    wire.socket.write('still there?');
    await until('the echo', () => wire.text.endsWith('still there?'));
    const since = performance.now();
    wire.socket.end();
    await reload;
    expect(performance.now() - since).to.be.below(3_000);
    await said('ended with code 0');
    expect(shared.output).not.to.match(/is killed/);
    expect((await cluster.status()).workers[0]!.pid).not.to.equal(pid);
  });

  it('is killed when kill_timeout is over and an upgraded connection is still there', async () => {
    const { cluster, said } = await worker();
    const wire = await Wire.open(cluster);
    wire.send('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n');
    await until('it is upgraded', () => wire.text.includes('101'));
    const since = performance.now();
    const reload = cluster.control.reload();
    await told(cluster);
    const toldAt = performance.now();
    await reload;
    expect(performance.now() - since).to.be.at.least(killTimeout);
    expect(performance.now() - toldAt).to.be.at.most(killTimeout + 4_000);
    await said(`is killed: it had not finished after ${killTimeout} ms`);
  });

  it('waits for no connection that was opened ahead and never used', async () => {
    const { cluster, said } = await worker();
    await Wire.open(cluster);
    await cluster.control.reload();
    await said('ended with code 0');
  });

  it('waits for a handler whose client has left', async () => {
    const { cluster, said } = await worker();
    const wire = await Wire.open(cluster);
    wire.send('/?ms=2000');
    await cluster.until('it is in flight', ({ workers }) => workers[0]!.inFlight === 1);
    const since = performance.now();
    wire.socket.destroy();
    await cluster.control.reload();
    expect(performance.now() - since).to.be.at.least(1_000);
    await said('ended with code 0');
  });

  it('answers at once, with 503, who waits for a resume that it will not see, and asks to close', async () => {
    const { cluster, said } = await worker();
    await cluster.control.maintenance({ on: true, reason: 'moving' });
    const wires = await Promise.all([1, 2].map(() => Wire.open(cluster)));
    for (const wire of wires) wire.send('/');
    await cluster.control.reload();
    for (const wire of wires) {
      await until('the answer', () => wire.ended);
      const { text } = wire;
      expect(text)
        .to.match(/^HTTP\/1\.1 503 /)
        .and.to.match(closes);
      expect(text).to.match(/^Retry-After: [1-9]/im);
    }
    await said('ended with code 0');
  });

  it('waits for no event stream whose client has left and whose handler only stopped its timer; nor does a drain', async () => {
    const { cluster, said } = await worker();
    for (const pauses of [true, false]) {
      const wire = await Wire.open(cluster);
      wire.send('/events');
      await until('it is in flight', () => wire.text.includes('data: '));
      wire.socket.destroy();
      await once(wire.socket, 'close');
      if (pauses) await cluster.control.maintenance({ on: true });
      if (pauses) await cluster.until('it is drained', ({ phase }) => phase === 'quiesced');
      await cluster.control.maintenance({ on: false });
    }
    await cluster.control.reload();
    await said('ended with code 0');
  });
});
