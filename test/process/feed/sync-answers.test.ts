import { once } from 'node:events';
import http from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import * as zlib from 'node:zlib';
import { expect } from 'chai';
import { report, type Report, type RunRecord } from '#quiesce/protocol/api/runs.js';
import { begin, json } from '../harness/clients/lines.ts';
import { useSharedCluster, type SharedCluster } from '../harness/clusters/shared-cluster.ts';
import { digestOf, SyncClient } from '../harness/clients/sync-client.ts';

const feed = '[{"id":1,"n":1},{"id":2,"n":2}]';
const documents = [
  { _id: 1, n: 1 },
  { _id: 2, n: 2 },
];

describe('the built-in app', function () {
  this.timeout(30_000);
  const shared = useSharedCluster({ instances: 2 });
  const client = new SyncClient(shared);

  describe('answers to PUT /api/sync', () => answers(shared, client));
  describe('runs', () => runs(shared, client));
});

function answers(shared: SharedCluster, client: SyncClient): void {
  it('are 204 with the run and its counts, and the collection equals the feed', async () => {
    const before = await client.put('[{"id":1,"n":0},{"id":2,"n":2},{"id":3}]');
    expect(before.headers['quiesce-counts']).to.equal('inserted=3, updated=0, deleted=0, unchanged=0');
    const { status, headers, text } = await client.put('[{"id":1,"n":1},{"id":2,"n":2},{"id":4},{"id":5}]');
    expect({ status, text }).to.deep.equal({ status: 204, text: '' });
    expect(headers['quiesce-counts']).to.equal('inserted=2, updated=1, deleted=1, unchanged=1');
    expect(headers['preference-applied']).to.equal(undefined);
    const run = await client.run(headers['quiesce-run'] as string);
    expect(run).to.deep.include({ kind: 'sync', state: 'succeeded' });
    expect(run.report?.counts).to.deep.equal({ inserted: 2, updated: 1, deleted: 1, unchanged: 1 });
    expect(run.progress).to.deep.equal({ step: 'write', done: 4, total: 4 });
    expect(await client.documents()).to.deep.equal([...documents, { _id: 4 }, { _id: 5 }]);
  });

  it('are 200 and the report where that is preferred', async () => {
    const { status, headers, text } = await client.put(feed, { Prefer: 'return=representation' });
    expect(status, text).to.equal(200);
    expect(headers['preference-applied']).to.equal('return=representation');
    const told = JSON.parse(text) as Report;
    expect(report.safeParse(told).error).to.equal(undefined);
    const { epoch } = await shared.cluster.status();
    expect(told).to.deep.include({
      id: headers['quiesce-run'],
      epoch,
      state: 'succeeded',
      feed: { items: 2, bytes: feed.length, digest: digestOf(feed) },
      counts: { inserted: 2, updated: 0, deleted: 0, unchanged: 0 },
      workers: 2,
      refused: 0,
      forced: 0,
    });
    const { paused, drain, scan, write, total } = told.timings;
    expect(paused).to.be.at.least(drain + scan + write - 1);
    expect(total).to.be.above(paused);
  });

  it('tell of a feed that changes nothing that there was no pause, and so no epoch of it', async () => {
    await client.put(feed);
    const { epoch } = await shared.cluster.status();
    const { text } = await client.put(feed, { Prefer: 'return=representation' });
    const told = JSON.parse(text) as Report;
    expect(told.counts).to.deep.equal({ inserted: 0, updated: 0, deleted: 0, unchanged: 2 });
    expect(told).to.include({ epoch: 0 });
    expect(told.timings.paused).to.equal(0);
    expect((await shared.cluster.status()).epoch).to.equal(epoch);
  });

  it('are 204 where the least is preferred, and say so', async () => {
    const { status, headers } = await client.put(feed, { Prefer: 'return=minimal, wait=5' });
    expect(status).to.equal(204);
    expect(headers['preference-applied']).to.equal('return=minimal');
  });

  it('are 202 and where to look, where nobody wants to wait', async () => {
    const { status, headers } = await client.put(feed, { Prefer: 'respond-async' });
    expect(status).to.equal(202);
    expect(headers['preference-applied']).to.equal('respond-async');
    expect(headers.location).to.equal(`/api/sync/${String(headers['quiesce-run'])}`);
    await shared.cluster.until('it has ended', ({ run }) => run?.state === 'succeeded');
    expect((await client.run(headers['quiesce-run'] as string)).report?.counts.inserted).to.equal(2);
    expect(await client.documents()).to.deep.equal(documents);
  });

  it('are 200 and the counts that a run would give to a dry run, which pauses and changes nothing', async () => {
    const { status, text } = await client.unchanged(() => client.put(feed, {}, '?dryRun=true'));
    expect(status, text).to.equal(200);
    expect(JSON.parse(text)).to.deep.include({
      feed: { items: 2, bytes: feed.length, digest: digestOf(feed) },
      counts: { inserted: 2, updated: 0, deleted: 1, unchanged: 0 },
    });
  });

  it('to an empty feed tell that everything was deleted', async () => {
    await client.put(feed);
    expect((await client.put('[]')).headers['quiesce-counts']).to.equal(
      'inserted=0, updated=0, deleted=2, unchanged=0',
    );
    expect(await client.documents()).to.deep.equal([]);
  });

  const ndjson = '{"id":1,"n":1}\n\n{"id":2,"n":2}';
  const type = { 'Content-Type': 'application/x-ndjson; charset=utf-8' };
  const codings: [name: string, body: Buffer | string, headers: Record<string, string>][] = [
    ['gzip', gzipSync(feed), { 'Content-Encoding': 'gzip' }],
    ['br', brotliCompressSync(feed), { 'Content-Encoding': 'br' }],
    ['NDJSON', ndjson, type],
    ['NDJSON, gzip', gzipSync(`${ndjson}\n`), { ...type, 'Content-Encoding': 'GZIP' }],
  ];
  if ('zstdCompressSync' in zlib) {
    const compress = zlib.zstdCompressSync as (body: string) => Buffer;
    codings.push(['zstd', compress(feed), { 'Content-Encoding': 'zstd' }]);
  }
  for (const [name, body, headers] of codings) {
    it(`are the same to a feed in ${name}, with the digest of its bytes as they came`, async () => {
      const reply = await client.put(body, {
        ...headers,
        'Content-Digest': digestOf(body),
        Prefer: 'return=representation',
      });
      expect(reply.status, reply.text).to.equal(200);
      const told = JSON.parse(reply.text) as Report;
      expect(told.feed).to.deep.equal({ items: 2, bytes: Buffer.byteLength(body), digest: digestOf(body) });
      expect(await client.documents()).to.deep.equal(documents);
    });
  }

  it('come after 100 Continue where the client asked for that', async () => {
    const { request, reply } = begin(`${shared.cluster.url}/api/sync`, {
      method: 'PUT',
      headers: { ...json, Expect: '100-continue', 'Content-Length': String(feed.length) },
    });
    await once(request, 'continue');
    request.end(feed);
    expect((await reply).status).to.equal(204);
  });
}

function runs(shared: SharedCluster, client: SyncClient): void {
  it('are listed, the newest first, with what became of each', async () => {
    const ids = [(await client.put('[]')).headers['quiesce-run']];
    expect((await client.put('[1]')).status).to.equal(422);
    ids.push((await client.put('[]')).headers['quiesce-run']);
    const { items } = JSON.parse((await client.get('/api/sync')).text) as { items: RunRecord[] };
    expect(items.slice(0, 3).map(({ state }) => state)).to.deep.equal(['succeeded', 'failed', 'succeeded']);
    expect([items[0]?.id, items[2]?.id]).to.deep.equal(ids.reverse());
    expect(items[1]?.error?.code).to.equal('invalid-feed');
    expect(await shared.cluster.control.runs(100)).to.deep.equal(items);
  });

  it('that there are none of are 404, and what is none of their methods 405', async () => {
    expect((await client.get('/api/sync/nothing')).status).to.equal(404);
    const { cluster } = shared;
    const post = begin(`${cluster.url}/api/sync`, { method: 'POST' });
    post.request.end();
    const { status, headers } = await post.reply;
    expect({ status, allow: headers.allow }).to.deep.equal({ status: 405, allow: 'GET, HEAD, PUT' });
  });

  it('tell of themselves live, from any worker, at any time, until they end', async () => {
    const { request, reply } = begin(`${shared.cluster.url}/api/sync`, { method: 'PUT', headers: json });
    request.write('[{"id":1}');
    const { run } = await shared.cluster.until('it is uploading', (status) => status.run?.state === 'uploading');
    // One at least of these is at the worker that has the upload, and one at the other.
    const streams = await Promise.all(Array.from({ length: 6 }, () => follow(shared.cluster.url, run!.id)));
    request.end(']');
    expect((await reply).status).to.equal(204);
    for (const { events } of streams) {
      const seen = await events;
      expect(seen.every(({ id }) => id === run!.id)).to.equal(true);
      const states = seen.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);
      expect(states).to.deep.equal(['uploading', 'preparing', 'draining', 'running', 'succeeded']);
      expect(seen.at(-1)?.report?.counts.inserted).to.equal(1);
    }
    const after = await (await follow(shared.cluster.url, run!.id)).events;
    expect(after.map(({ state }) => state)).to.deep.equal(['succeeded']);
  });
}

/** Follows a run as server-sent events; resolves when the stream has begun. */
async function follow(url: string, run: string): Promise<{ events: Promise<RunRecord[]> }> {
  const request = http.get(`${url}/api/sync/${run}`, { agent: false, headers: { Accept: 'text/event-stream' } });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  expect(response.headers['content-type']).to.match(/^text\/event-stream\b/);
  response.setEncoding('utf8');
  let text = '';
  const ended = once(response, 'end');
  await new Promise<void>((resolve) => {
    response.on('data', (chunk: string) => {
      text += chunk;
      resolve();
    });
  });
  const parse = (): RunRecord[] =>
    text
      .split('\n\n')
      .filter((event) => event.includes('event: run'))
      .map((event) => JSON.parse(/^data: (.*)$/m.exec(event)![1]!) as RunRecord);
  return { events: ended.then(parse) };
}
