import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { begin, json, linesTo, problemIn, send, type Begun, type Reply } from '../harness/clients/lines.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { straggler } from '../harness/clients/straggler.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
const put = { method: 'PUT', headers: { ...json, 'Transfer-Encoding': 'chunked' } };

function expectRefused({ status, headers, text }: Reply, run: string): void {
  expect(status, text).to.equal(409);
  const problem = JSON.parse(text) as Record<string, unknown>;
  expect(headers['content-type']).to.equal('application/problem+json');
  expect(problem).to.include({ code: 'run-in-progress', status: 409, run, instance: '/api/sync' });
  expect(headers.location).to.equal(`/api/sync/${run}`);
  expect(Number(headers['retry-after'])).to.be.at.least(1);
}

describe('PUT /api/sync', function () {
  this.timeout(30_000);
  const shared = useSharedCluster({ script: app, instances: 4 });
  const url = (path = '/api/sync'): string => shared.cluster.url + path;

  it('of three at the same moment at three of four workers takes one, and refuses two before their bodies are there, twelve rounds running', async () => {
    for (let round = 0; round < 12; round += 1) {
      const slots = [0, 1, 2, 3].filter((slot) => slot !== round % 4);
      const lines = await linesTo(shared.cluster.url, slots);
      // Nobody ends a body: whoever is refused is refused without it.
      const sent = lines.map((line) => line.begin('/api/sync', put));
      for (const { request } of sent) request.write('[');
      const answered = new Map<Begun, Reply>();
      for (const each of sent) void each.reply.then((reply) => answered.set(each, reply));
      await until('two of them are answered', () => answered.size >= 2, { every: 2 });
      const winner = sent.find((each) => !answered.has(each));
      if (winner === undefined) throw new Error('all three were answered');
      winner.request.end(`{"id":1,"round":${round}}]`);
      const { status, headers } = await winner.reply;
      expect(status).to.equal(204);
      for (const reply of answered.values()) {
        if (reply !== (await winner.reply)) expectRefused(reply, headers['quiesce-run'] as string);
      }
      expect(await shared.database.db.collection('resources').find().toArray()).to.deep.equal([{ _id: 1, round }]);
      for (const line of lines) line.close();
    }
  });

  it('is refused at the worker that takes another one, too', async () => {
    const [line] = await linesTo(shared.cluster.url, [2]);
    const [other] = await linesTo(shared.cluster.url, [2]);
    const first = line!.begin('/api/sync', put);
    first.request.write('[');
    await shared.cluster.until('one is uploading', ({ run }) => run?.state === 'uploading');
    const second = other!.begin('/api/sync', put);
    const refused = await second.reply;
    expect(refused.slot).to.equal(2);
    first.request.end(']');
    const { status, headers } = await first.reply;
    expect(status).to.equal(204);
    expectRefused(refused, headers['quiesce-run'] as string);
    second.request.destroy();
    line!.close();
    other!.close();
  });

  it('is refused during the pause of a run, while other requests get 503', async () => {
    const [line] = await linesTo(shared.cluster.url, [0]);
    const busy = await straggler(shared.cluster, 1);
    const running = line!.send('/api/sync', { method: 'PUT', headers: json, body: '[{"id":1}]' });
    const { run } = await shared.cluster.until('it drains', ({ phase }) => phase === 'draining');
    const late = begin(url(), put);
    late.request.write('[');
    expectRefused(await late.reply, run!.id);
    late.request.destroy();
    const refused = await send(url('/work'));
    expect(refused.status).to.equal(503);
    expect(problemIn(refused).code).to.equal('paused');
    expect(refused.headers['cache-control']).to.equal('no-store');
    expect(Number(refused.headers['retry-after'])).to.be.at.least(1);
    expect((await busy.end()).status).to.equal(200);
    expect((await running).status).to.equal(204);
    expect((await send(url('/work'))).status).to.equal(200);
    line!.close();
  });

  it('and an exclusive handler keep each other out', async () => {
    const over = join(shared.cluster.folder, 'alone-is-over');
    const alone = send(url(`/alone?until=${encodeURIComponent(over)}`), { method: 'POST' });
    const { run } = await shared.cluster.until('it is quiesced', ({ phase }) => phase === 'quiesced');
    expectRefused(await send(url(), { method: 'PUT', headers: json, body: '[]' }), run!.id);
    const another = await send(url('/alone'), { method: 'POST' });
    expect(another.status).to.equal(409);
    expect(problemIn(another)).to.include({ code: 'run-in-progress', run: run!.id });
    await writeFile(over, '');
    expect((await alone).status).to.equal(200);
    await shared.cluster.until('it serves again', ({ phase }) => phase === 'serving');

    const upload = begin(url(), put);
    upload.request.write('[');
    await shared.cluster.until('a feed is uploading', (status) => status.run?.state === 'uploading');
    expect((await send(url('/alone'), { method: 'POST' })).status).to.equal(409);
    expect((await send(url('/work'))).status, 'the cluster serves while a feed comes').to.equal(200);
    upload.request.end(']');
    expect((await upload.reply).status).to.equal(204);
  });
});
