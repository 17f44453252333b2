import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Report } from '#quiesce/protocol/api/runs.js';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { SyncClient } from '../harness/clients/sync-client.ts';

const script = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));

describe('a client that does not read', function () {
  this.timeout(40_000);
  const shared = useSharedCluster({ script, instances: 1, quiesce: { maintenance: { drain_timeout: 20_000 } } });
  const client = new SyncClient(shared);
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  /** Sends, and reads nothing. */
  async function unread(text: string): Promise<Socket> {
    const socket = connect(shared.cluster.port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  }

  /** Once the worker is at work on something that it has not finished. */
  async function inFlight(count: number): Promise<void> {
    await shared.cluster.until(`${count} in flight`, ({ workers }) => workers[0]!.inFlight === count);
  }

  async function reportOf(feed: string): Promise<Report> {
    const { status, text } = await client.put(feed, { Prefer: 'return=representation' });
    expect(status, text).to.equal(200);
    return JSON.parse(text) as Report;
  }

  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

  it('holds up no sync when the handler has ended its response', async () => {
    await unread(get('/large'));
    await inFlight(1);
    const { timings } = await reportOf('[{"id":1}]');
    expect(timings.drain).to.be.below(1_500);
  });

  it('is cut off during a drain where a handler still writes to it, and the run tells of that', async () => {
    const socket = await unread(get('/endless'));
    await inFlight(1);
    const { timings, id } = await reportOf('[{"id":2}]');
    expect(timings.drain).to.be.within(4_500, 12_000);
    const { notes = [] } = await client.run(id);
    expect(notes.join()).to.include('A GET /endless, ').and.include('its client read nothing of the answer');
    socket.resume();
    await once(socket, 'close');
  });

  it('of its own connection: a PUT with two GETs behind it does not wait for itself', async () => {
    const body = '[{"id":3}]';
    const head = `PUT /api/sync HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = await unread(head + body + get('/work') + get('/work?ms=5'));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).to.match(/^HTTP\/1\.1 204 /);
    const run = /quiesce-run: (\S+)/i.exec(String(answer))![1]!;
    expect((await client.run(run)).report!.timings.drain).to.be.below(1_500);
  });
});
