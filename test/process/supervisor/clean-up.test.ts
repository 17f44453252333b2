import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/clean-ups.js', import.meta.url));
const marks = join(tmpdir(), `quiesce-marks-${process.pid}`);
const killTimeout = 5_000;

describe("a worker's clean-up", function () {
  this.timeout(60_000);
  const shared = useSharedPlainCluster({
    script: app,
    instances: 1,
    env: { MARKS: marks },
    app: { kill_timeout: killTimeout },
  });

  /** The worker that serves has this clean-up. Returns its name in the log and its pid. */
  async function like(what: string): Promise<{ name: string; pid: number }> {
    const { cluster } = shared;
    await fetch(`${cluster.url}/like?what=${encodeURIComponent(what)}`);
    const [worker] = (await cluster.status()).workers;
    return { name: `worker ${worker!.slot}\\.${worker!.incarnation}`, pid: worker!.pid! };
  }

  function cleanedUp(pid: number): boolean {
    return readFileSync(marks, 'utf8').split('\n').includes(String(pid));
  }

  async function open(lines: readonly string[]): Promise<{ socket: Socket; received: () => Buffer }> {
    const socket = connect(shared.cluster.port, '127.0.0.1');
    await once(socket, 'connect');
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part)).on('error', () => {});
    socket.write([...lines, 'Host: x', '', ''].join('\r\n'));
    return { socket, received: () => Buffer.concat(parts) };
  }

  const webSocket = ['GET / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket'];

  for (const [what, end] of [
    ['terminus', 'SIGINT'],
    ['NestJS', 'SIGINT'],
    ['Apollo Server', 'SIGINT'],
    ['http-terminator', 'code 0'],
    ['http-graceful-shutdown', 'code 0'],
    ['Feathers', 'code 0'],
    ['Next.js', 'code 143'],
    ['Verdaccio', 'code 0'],
    ["Express' documentation", 'code 0'],
    ['await using', 'code 0'],
    ['signal-exit', 'SIGINT'],
    ['node:cluster', 'code 0'],
  ] as const) {
    it(`does what it does under plain Node: as ${what} has it`, async () => {
      const { cluster } = shared;
      const { name, pid } = await like(what);
      await cluster.control.reload();
      await cluster.said(new RegExp(`${name} ended with ${end}`));
      expect(cleanedUp(pid), 'it was through').to.equal(true);
      expect(shared.output).not.to.match(/is killed|when it was to finish/);
    });
  }

  it('that fails is a warning, with what it wrote last', async () => {
    const { cluster } = shared;
    const { name } = await like('failing');
    await cluster.control.reload();
    await cluster.said(new RegExp(`${name} ended with code 1 when it was to finish: closing the pool`));
    const line = shared.output.split('\n').find((each) => each.includes('when it was to finish'))!;
    const { level, msg } = JSON.parse(line) as { level: number; msg: string };
    expect(level).to.equal(40);
    expect(msg).to.include('the pool was closed before').and.not.include('a warning from the start');
  });

  it('ends the streams that nobody else ends, in the last fifth of the time that it has', async () => {
    const { cluster } = shared;
    const { name, pid } = await like('streams');
    const { socket, received } = await open(['GET /events HTTP/1.1']);
    await until('it streams', () => received().includes('data: '));
    const since = performance.now();
    await cluster.control.reload();
    expect(performance.now() - since).to.be.at.least(killTimeout * 0.8 - 10);
    await cluster.said(new RegExp(`${name} ended with code 0`));
    expect(cleanedUp(pid)).to.equal(true);
    expect(received().toString()).to.match(/\r\n0\r\n\r\n$/);
    socket.destroy();
  });

  it('is not missed by WebSockets: they get 1001, going away, where the app has none', async () => {
    const { cluster } = shared;
    const { name } = await like('nobody');
    const polite = await open(webSocket);
    const silent = await open(webSocket);
    for (const { received } of [polite, silent]) await until('it is open', () => received().includes('101'));
    const handshake = polite.received().length;
    polite.socket.once('data', () => polite.socket.end());
    await cluster.control.reload();
    for (const { received } of [polite, silent]) {
      expect([...received().subarray(handshake)]).to.deep.equal([0x88, 2, 1001 >> 8, 1001 & 255]);
    }
    await cluster.said(new RegExp(`${name} ended with code 0`));
    expect(shared.output).not.to.match(/is killed/);
  });

  it('closes a WebSocket that it forgot when the time that it has is nearly over', async () => {
    const { cluster } = shared;
    const { name, pid } = await like("Express' documentation");
    const { received } = await open(webSocket);
    await until('it is open', () => received().includes('101'));
    await cluster.control.reload();
    expect([...received().subarray(-4)]).to.deep.equal([0x88, 2, 1001 >> 8, 1001 & 255]);
    await cluster.said(new RegExp(`${name} ended with code 0`));
    expect(cleanedUp(pid)).to.equal(true);
  });

  it('is not needed by a worker that raises SIGTERM on itself: it ends and is replaced', async () => {
    const { cluster } = shared;
    const { name, pid } = await like('nobody');
    await fetch(`${cluster.url}/raise`);
    await cluster.said(new RegExp(`${name} ended with SIGTERM: crash`));
    await cluster.until(
      'another one serves',
      ({ workers }) => workers[0]!.state === 'serving' && workers[0]!.pid !== pid,
    );
  });
});
