import { once } from 'node:events';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Report, WaitingRequest } from '#quiesce/protocol/api/runs.js';
import { slotHeader } from '../../../dev/cluster/slot-header.ts';
import { json, linesTo, problemIn, send, type Line, type Reply } from '../harness/clients/lines.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { straggler } from '../harness/clients/straggler.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
const drainTimeout = 1_000;
const stragglerSlot = 1;
const put = { method: 'PUT', headers: { ...json, Prefer: 'return=representation' }, body: '[{"id":1}]' } as const;

function useTimeouts(
  onDrainTimeout: 'abort' | 'force',
): ReturnType<typeof useSharedCluster> & { line(slot: number): Promise<Line> } {
  const shared = useSharedCluster({
    script: app,
    instances: 2,
    app: { min_uptime: 1 },
    quiesce: { maintenance: { drain_timeout: drainTimeout, on_drain_timeout: onDrainTimeout } },
  });
  const lines: Line[] = [];
  afterEach(() => {
    for (const line of lines.splice(0)) line.close();
  });
  return Object.assign(shared, {
    async line(slot: number): Promise<Line> {
      const [line] = await linesTo(shared.cluster.url, [slot]);
      lines.push(line!);
      return line!;
    },
  });
}

/** A download that is not read, from the worker of the straggler: without a client its handler is done. */
async function unreadDownload(url: string): Promise<void> {
  for (;;) {
    const request = http.get(`${url}/endless`, { agent: false }).on('error', () => {});
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    if (Number(response.headers[slotHeader]) === stragglerSlot) return;
    request.destroy();
  }
}

describe('a request that does not finish in time', function () {
  this.timeout(30_000);

  describe('where a run is given up then', () => {
    const shared = useTimeouts('abort');
    const straggling = { slot: stragglerSlot, method: 'GET', path: '/straggle' };

    function expectNamed(reply: Reply): void {
      const problem = problemIn(reply);
      expect(problem).to.include({ status: 503, code: 'drain-timeout' });
      expect(Number(reply.headers['retry-after'])).to.be.at.least(1);
      const [waiting, ...others] = problem['waitingFor'] as WaitingRequest[];
      expect(others).to.deep.equal([]);
      expect(waiting).to.include(straggling);
      expect(waiting!.age).to.be.at.least(drainTimeout);
      expect(problem['detail']).to.include('GET /straggle').and.to.include('nothing was changed');
    }

    it('is named, by the status and in the 503 that a PUT gets; the cluster serves on, and so does the request', async () => {
      const { cluster, database } = shared;
      const { end } = await straggler(cluster, stragglerSlot);
      const reply = (await shared.line(0)).send('/api/sync', put);
      const { waitingFor } = await cluster.until('it drains', (status) => status.waitingFor.length > 0);
      expect(waitingFor[0]).to.include(straggling);
      expectNamed(await reply);
      expect(await database.db.collection('resources').countDocuments()).to.equal(0);
      const { run } = await cluster.until('it serves', ({ phase }) => phase === 'serving');
      expect(run).to.deep.include({ id: (await reply).headers['quiesce-run'], state: 'failed' });
      expect(run?.error?.code).to.equal('drain-timeout');
      for (const slot of [0, 1]) expect((await (await shared.line(slot)).send('/work')).status).to.equal(200);
      expect((await end()).status).to.equal(200);
      expect((await (await shared.line(0)).send('/api/sync', put)).status, 'the next').to.equal(200);
    });

    it('is named in the 503 that an exclusive handler gets, which is not called', async () => {
      const { end } = await straggler(shared.cluster, stragglerSlot);
      expectNamed(await (await shared.line(0)).send('/alone', { method: 'POST' }));
      expect((await end()).status).to.equal(200);
    });

    it('is named, too, when nobody waits for its answer any more', async () => {
      const { request, end } = await straggler(shared.cluster, stragglerSlot);
      request.destroy();
      const problem = problemIn(await (await shared.line(0)).send('/api/sync', put));
      expect((problem['waitingFor'] as WaitingRequest[])[0]).to.include({ ...straggling, clientGone: true });
      await end().catch(() => null);
      await shared.cluster.until('its handler has ended', ({ workers }) =>
        workers.every(({ inFlight }) => inFlight === 0),
      );
    });

    it('is waited for as long as it takes where an operator holds the cluster', async () => {
      const { cluster } = shared;
      const { end } = await straggler(cluster, stragglerSlot);
      await cluster.control.maintenance({ on: true });
      const named = await cluster.until(
        'it has waited',
        ({ waitingFor }) => (waitingFor[0]?.age ?? 0) > 2 * drainTimeout,
      );
      expect(named.phase).to.equal('draining');
      expect((await end()).status).to.equal(200);
      await cluster.until('it is quiesced', ({ phase }) => phase === 'quiesced');
      await cluster.control.maintenance({ on: false });
    });
  });

  describe('where it is cut off then', () => {
    const shared = useTimeouts('force');

    it('loses its connection and, as its handler goes on, its worker; the run goes on, and its report tells', async () => {
      const { cluster, database } = shared;
      const before = await cluster.status();
      const { end } = await straggler(cluster, stragglerSlot);
      const reply = await (await shared.line(0)).send('/api/sync', put);
      expect(reply.status, reply.text).to.equal(200);
      expect((JSON.parse(reply.text) as Report).forced).to.equal(1);
      expect(await end().catch(() => null), 'what its caller gets').to.equal(null);
      expect(await database.db.collection('resources').countDocuments()).to.equal(1);
      const after = await cluster.ready();
      expect(after.workers[stragglerSlot]!.incarnation).to.equal(before.workers[stragglerSlot]!.incarnation + 1);
      expect(after.workers[0]!.pid).to.equal(before.workers[0]!.pid);
    });

    it('leaves its worker alone where its handler ends when the connection is gone', async () => {
      const { cluster } = shared;
      const before = await cluster.status();
      await unreadDownload(cluster.url);
      const reply = await (await shared.line(0)).send('/api/sync', put);
      expect(reply.status, reply.text).to.equal(200);
      expect((JSON.parse(reply.text) as Report).forced).to.equal(1);
      expect((await cluster.status()).workers.map(({ pid }) => pid)).to.deep.equal(
        before.workers.map(({ pid }) => pid),
      );
    });

    it('in the worker that has the PUT: that one is told where to look before it loses its connection', async () => {
      const { cluster } = shared;
      const { end } = await straggler(cluster, stragglerSlot);
      const reply = await (await shared.line(stragglerSlot)).send('/api/sync', put);
      expect(reply.status, reply.text).to.equal(202);
      const id = reply.headers['quiesce-run'];
      expect(reply.headers.location).to.equal(`/api/sync/${String(id)}`);
      const { run } = await cluster.until('the run has ended', (status) => status.run?.endedAt !== undefined);
      expect(run).to.include({ id, state: 'succeeded' });
      await end().catch(() => null);
    });

    it('in the worker that has an exclusive run: that is given up, since it would end with its worker', async () => {
      const { cluster } = shared;
      const { pid } = (await cluster.status()).workers[stragglerSlot]!;
      const { end } = await straggler(cluster, stragglerSlot);
      const reply = await (await shared.line(stragglerSlot)).send('/alone', { method: 'POST' });
      expect(problemIn(reply)).to.include({ status: 503, code: 'drain-timeout' });
      await end().catch(() => null);
      expect((await cluster.ready()).workers[stragglerSlot]!.pid).to.equal(pid);
      expect((await send(`${cluster.url}/work`)).status).to.equal(200);
    });
  });
});
