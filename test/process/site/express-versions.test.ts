import { expect } from 'chai';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { lockFence } from '../harness/mongodb/fence-lock.ts';
import { handshake } from '../harness/clients/handshake.ts';
import { begin, linesTo, problemIn, type Line } from '../harness/clients/lines.ts';
import { useSharedCluster, useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';
import { SyncClient } from '../harness/clients/sync-client.ts';

const script = fileURLToPath(new URL('../fixtures/express-app.js', import.meta.url));
const wrapped = fileURLToPath(new URL('../fixtures/wrapped-app.js', import.meta.url));

// The last one is the measure of the others.
for (const [version, way] of [
  ['4', 'listen'],
  ['4', 'app.listen'],
  ['4', 'createServer'],
  ['5', 'listen'],
] as const) {
  describe(`an app of Express ${version} that begins to listen with ${way}()`, function () {
    this.timeout(30_000);
    const shared = useSharedCluster({ script, env: { EXPRESS: version, LISTEN: way } });
    const client = new SyncClient(shared);
    const lines: Line[] = [];
    before('a line to each worker', async () => lines.push(...(await linesTo(shared.cluster.url, [0, 1], '/free'))));
    after(() => lines.forEach((line) => line.close()));

    async function statuses(path: string, method = 'GET'): Promise<number[]> {
      return Promise.all(lines.map(async (line) => (await line.send(path, { method })).status));
    }

    it('finishes what it has begun when a hold comes, and refuses the rest', async () => {
      const { cluster } = shared;
      const open = new WebSocket(cluster.url.replace('http', 'ws'));
      await once(open, 'open');
      const done = join(cluster.folder, 'slow-is-done');
      const slow = begin(`${cluster.url}/slow?until=${encodeURIComponent(done)}`);
      slow.request.end();
      await slow.answered;
      await cluster.control.maintenance({ on: true, reason: 'a new disk' });
      expect((await cluster.status()).phase).to.equal('draining');
      const refused = await lines[0]!.send('/slow');
      expect(problemIn(refused)).to.include({ status: 503, code: 'paused' });
      expect(Number(refused.headers['retry-after'])).to.be.at.least(1);
      await writeFile(done, '');
      expect((await slow.reply).text).to.equal('done');
      await cluster.until('it is quiesced', ({ phase }) => phase === 'quiesced');
      expect(await statuses('/free')).to.deep.equal([200, 200]);
      expect(await statuses('/nowhere')).to.deep.equal([503, 503]);
      expect((await handshake(cluster)).status).to.equal(503);
      open.send('still there');
      expect(String((await once(open, 'message'))[0])).to.equal('still there');
      open.terminate();
      await cluster.control.maintenance({ on: false });
      expect(await statuses('/slow')).to.deep.equal([200, 200]);
      expect(await statuses('/nowhere')).to.deep.equal([404, 404]);
      expect(await statuses('/fails')).to.deep.equal([418, 418]);
      expect((await handshake(cluster)).status).to.equal(101);
    });

    it('runs an exclusive handler alone', async () => {
      const { epoch } = await shared.cluster.status();
      const reply = await lines[0]!.send('/alone', { method: 'POST' });
      expect([reply.status, reply.text]).to.deep.equal([200, 'alone']);
      expect((await shared.cluster.status()).epoch).to.be.above(epoch);
      expect(await statuses('/slow'), 'whoever has its answer finds the gates open').to.deep.equal([200, 200]);
    });

    it('takes a feed, tells of the run while it goes on, and refuses a second one', async () => {
      const unlock = await lockFence(shared.database);
      const first = client.put('[{"id":1}]');
      const { run } = await shared.cluster.until('it is quiesced', ({ phase }) => phase === 'quiesced');
      for (const line of lines) {
        const second = await line.send('/api/sync', { method: 'PUT' });
        expect(problemIn(second)).to.include({ status: 409, code: 'run-in-progress' });
        expect(second.headers.location).to.equal(`/api/sync/${run!.id}`);
        const told = await line.send(second.headers.location!);
        expect([told.status, JSON.parse(told.text).id]).to.deep.equal([200, run!.id]);
        const route = await line.send('/feed', { method: 'PUT' });
        expect([route.status, route.headers.location]).to.deep.equal([409, undefined]);
      }
      expect(await statuses('/alone', 'POST')).to.deep.equal([409, 409]);
      expect(await statuses('/slow')).to.deep.equal([503, 503]);
      await unlock();
      expect((await first).status).to.equal(204);
      expect(await client.documents()).to.deep.equal([{ _id: 1 }]);
      const again = await lines[1]!.send('/feed', {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: '[{"id":1},{"id":2}]',
      });
      expect(again.headers['quiesce-counts']).to.equal('inserted=1, updated=0, deleted=0, unchanged=1');
    });
  });
}

for (const [gated, GATE] of [
  ['without gate()', '0'],
  ['with gate()', '1'],
] as const) {
  describe(`an Express app ${gated} whose app.handle or server.emit somebody has wrapped`, () => {
    const shared = useSharedPlainCluster({ script: wrapped, instances: 1, env: { GATE } });

    it('sees the req.query that the wrapper wrote, as under plain Node', async () => {
      const answer = (await (await fetch(shared.cluster.url)).json()) as Record<string, string>;
      const apps = Object.keys(answer);
      expect(apps).to.have.lengthOf(12);
      const written = JSON.stringify({ wrote: 'the wrapper' });
      expect(answer).to.deep.equal(Object.fromEntries(apps.map((each) => [each, written])));
    });
  });
}
