import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { begin, json, problemIn } from '../harness/clients/lines.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { digestOf, SyncClient } from '../harness/clients/sync-client.ts';
import { until } from '../harness/until.ts';

const megabyte = 1024 * 1024;
const uploadTimeout = 2_000;

describe('PUT /api/sync refuses', function () {
  this.timeout(30_000);
  const shared = useSharedCluster({
    instances: 2,
    quiesce: { sync: { max_bytes: '18M', upload_timeout: uploadTimeout } },
  });
  const client = new SyncClient(shared);

  afterEach('no feed is left on disk', async () => {
    const spool = join(shared.cluster.dataDir, 'spool');
    await until('the spool is empty', async () => (await readdir(spool)).length === 0);
  });

  /** Refused once the body is there: the run is in the history, with what was wrong with it. */
  async function failedRun(status: number, code: string, action: () => ReturnType<typeof client.put>): Promise<void> {
    const { problem } = await client.refused({ status, code }, action);
    // The worker that refuses it tells the client and the primary at the same moment.
    const { run } = await shared.cluster.until('it has failed', (found) => found.run?.state === 'failed');
    expect(run?.epoch, 'it has paused nothing').to.equal(undefined);
    expect(run?.error).to.deep.include({ code, detail: problem['detail'] });
    expect(await client.run(run!.id)).to.deep.equal(run);
  }

  const gzip = { 'Content-Encoding': 'gzip' };
  const ndjson = { 'Content-Type': 'application/x-ndjson' };
  const malformed: [what: string, body: string | Uint8Array, headers?: Record<string, string>][] = [
    ['nothing', ''],
    ['an array that does not end', '[{"id":1},{"id":2}'],
    ['a string that does not end', '[{"id":"1'],
    ['two arrays', '[{"id":1}] [{"id":2}]'],
    ['a comma too many', '[{"id":1},]'],
    ['a number that is none', '[{"id":01}]'],
    ['bytes that are not UTF-8', Buffer.from([...Buffer.from('[{"id":"'), 0xff, 0xfe, ...Buffer.from('"}]')])],
    ['a line that is no JSON', '{"id":1}\n{"id":\n{"id":3}\n', ndjson],
    ['bytes that are not gzip', 'not gzip at all', gzip],
    ['gzip with something behind it', Buffer.concat([gzipSync('[{"id":1}]'), Buffer.from('[]')]), gzip],
    ['gzip that ends too early', gzipSync('[{"id":1},{"id":2}]').subarray(0, 24), gzip],
  ];
  for (const [what, body, headers] of malformed) {
    it(`${what}, with 400`, () => failedRun(400, 'malformed-json', () => client.put(body, headers)));
  }

  let deep = '1';
  for (let level = 0; level < 200; level += 1) deep = `[${deep}]`;
  const invalid: [what: string, body: string, pointer: string, headers?: Record<string, string>][] = [
    ['an object in place of the array', '{"id":1}', ''],
    ['an item that is no object', '[{"id":1},2]', '/1'],
    ['an item without a key', '[{"id":1},{"n":1}]', '/1'],
    ['an item whose key is null', '[{"id":null}]', '/0/id'],
    ['an item whose key is an array', '[{"id":[1]}]', '/0/id'],
    ['a key that was there before', '[{"id":"a"},{"id":1},{"id":1.0}]', '/2'],
    ['a NUL in a name', '[{"id":1,"a\\u0000b":1}]', '/0'],
    ['what MongoDB cannot nest', `[{"id":1,"deep":${deep}}]`, '/0'],
    ['a document of more than 16 MB', `[{"id":1,"big":"${'x'.repeat(17 * megabyte)}"}]`, '/0'],
    ['a line that is no object', '{"id":1}\n[]\n', '/1', ndjson],
  ];
  for (const [what, body, pointer, headers] of invalid) {
    it(`${what}, with 422 that says where`, async () => {
      const action = (): ReturnType<typeof client.put> => client.put(body, headers);
      const { problem } = await client.refused({ status: 422, code: 'invalid-feed' }, action);
      expect(problem['errorCount']).to.equal(1);
      const [error] = problem['errors'] as { pointer: string; detail: string }[];
      expect(error?.pointer.startsWith(pointer), JSON.stringify(problem)).to.equal(true);
      expect(error?.detail).to.be.a('string').and.not.empty;
      expect((await shared.cluster.status()).run?.state).to.equal('failed');
    });
  }

  it('many faults at once, with the first twenty and their number', async () => {
    const body = JSON.stringify(Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? { n } : { id: n })));
    const { problem } = await client.refused({ status: 422, code: 'invalid-feed' }, () => client.put(body));
    expect(problem['errorCount']).to.equal(25);
    const pointers = (problem['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
    expect(pointers).to.deep.equal(Array.from({ length: 20 }, (_, n) => `/${2 * n}`));
  });

  it('a feed as soon as it is known to be bad', async () => {
    const quickest = async (body: string, status: number): Promise<number> => {
      const durations: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        const began = performance.now();
        expect((await client.put(body)).status).to.equal(status);
        durations.push(performance.now() - began);
      }
      return Math.min(...durations);
    };
    const good = await quickest('[]', 204);
    expect(await quickest('[1]', 422)).to.be.below(good + 150);
  });

  it('a feed with an answer after which the next one is taken, at whatever worker', async () => {
    for (let round = 0; round < 20; round += 1) {
      expect((await client.put('[]', { 'Content-Digest': digestOf('[ ]') })).status).to.equal(400);
      expect((await client.put('[]')).status).to.equal(204);
    }
  });

  it('the same in a dry run', async () => {
    const dry = (body: string) => () => client.put(body, {}, '?dryRun=true');
    await client.refused({ status: 422, code: 'invalid-feed' }, dry('[1]'));
  });

  it('a dry run while another one is not yet sent to its end, at whatever worker, with 409', async () => {
    const url = `${shared.cluster.url}/api/sync?dryRun=true`;
    const first = begin(url, { method: 'PUT', headers: json });
    first.request.on('error', () => {}).write('[');
    const spool = join(shared.cluster.dataDir, 'spool');
    await until('its upload has begun', async () => (await readdir(spool)).length === 1);
    for (let other = 0; other < 8; other++) {
      const reply = await client.put('[]', {}, '?dryRun=true');
      expect(problemIn(reply), reply.text).to.include({ status: 409, code: 'run-in-progress' });
      expect((await readdir(spool)).length, 'feeds in the spool').to.equal(1);
    }
    first.request.destroy();
    await until('its place is free', async () => (await client.put('[]', {}, '?dryRun=true')).status === 200);
  });

  it('an empty feed for a full collection, with 409 that says how it may be sent', async () => {
    const collection = shared.database.db.collection('resources');
    await collection.insertMany(Array.from({ length: 150 }, (_, n) => ({ n })));
    for (const query of ['', '?dryRun=true', '?maxDeletes=149']) {
      const { epoch } = await shared.cluster.status();
      const reply = await client.put('[]', {}, query);
      expect(reply.status, reply.text).to.equal(409);
      expect(problemIn(reply)).to.include({ code: 'too-many-deletes', deletes: 150, stored: 150 });
      expect(problemIn(reply)['detail']).to.contain('?maxDeletes=150').and.contain('--max-deletes 150');
      expect((await shared.cluster.status()).epoch, 'nothing was paused').to.equal(epoch);
      expect(await collection.countDocuments()).to.equal(150);
    }
    const { status, text } = await client.put('[]', {}, '?maxDeletes=100%');
    expect(status, text).to.equal(204);
    expect(await client.documents()).to.deep.equal([]);
  });

  for (const query of ['?dryRun', '?dryRun=1', '?dryRun=TRUE', '?dryRun=true&dryRun=true']) {
    it(`${query}, with 400: it could be meant to write nothing`, async () => {
      await client.refused({ status: 400, code: 'bad-request' }, () => client.put('[]', {}, query));
    });
  }

  it('a part of a feed, with 400 before it is sent: the rest would be deleted', async () => {
    for (const query of ['', '?dryRun=true']) {
      await client.refused({ status: 400, code: 'bad-request' }, () => {
        const headers = { ...json, 'Content-Range': 'bytes 100-199/200', 'Content-Length': '100' };
        const { request, reply } = begin(`${shared.cluster.url}/api/sync${query}`, { method: 'PUT', headers });
        request.flushHeaders();
        return reply.finally(() => request.destroy());
      });
      await shared.database.db.collection('resources').deleteMany({});
    }
  });

  it('a digest that is not that of the body, with 400', async () => {
    const headers = { 'Content-Digest': digestOf('[ ]') };
    await failedRun(400, 'digest-mismatch', () => client.put('[]', headers));
  });

  it('a digest that is none, with 400', async () => {
    const expected = { status: 400, code: 'digest-mismatch' };
    await client.refused(expected, () => client.put('[]', { 'Content-Digest': 'sha-256=:AAAA:' }));
  });

  const types: [what: string, headers: Record<string, string>][] = [
    ['text', { 'Content-Type': 'text/plain' }],
    ['a body of no type', { 'Content-Type': '' }],
    ['another charset', { 'Content-Type': 'application/json; charset=iso-8859-1' }],
    ['a coding that it does not know', { 'Content-Encoding': 'compress' }],
    ['two codings', { 'Content-Encoding': 'gzip, br' }],
  ];
  for (const [what, headers] of types) {
    it(`${what}, with 415 and what it takes`, async () => {
      const expected = { status: 415, code: 'unsupported-media-type' };
      const { reply } = await client.refused(expected, () => client.put('[]', headers));
      expect(reply.headers.accept).to.equal('application/json, application/x-ndjson');
      expect(reply.headers['accept-encoding']).to.match(/^gzip, br(, zstd)?$/);
    });
  }

  const tooLarge = { status: 413, code: 'payload-too-large' };

  it('a feed that says it is too large, with 413 before it is sent', async () => {
    await client.refused(tooLarge, () => {
      const headers = { ...json, 'Content-Length': String(19 * megabyte) };
      const { request, reply } = begin(`${shared.cluster.url}/api/sync`, { method: 'PUT', headers });
      request.write('[');
      return reply.finally(() => request.destroy());
    });
  });

  it('a feed that turns out to be too large, with 413', async () => {
    const chunk = Buffer.alloc(megabyte, ' ');
    const endless = Readable.from(
      (function* () {
        for (;;) yield chunk;
      })(),
    );
    await client.refused(tooLarge, () => client.put(endless, { 'Transfer-Encoding': 'chunked' }));
    endless.destroy();
  });

  it('a feed that is too large once it is decoded, with 413', async () => {
    const bomb = gzipSync(`[${' '.repeat(20 * megabyte)}]`);
    await client.refused(tooLarge, () => client.put(bomb, gzip));
  });

  it('a feed that does not come to its end in time, with 408', async () => {
    const began = performance.now();
    const expected = { status: 408, code: 'upload-timeout' };
    await client.refused(expected, () => {
      const { request, reply } = begin(`${shared.cluster.url}/api/sync`, { method: 'PUT', headers: json });
      request.write('[');
      return reply.finally(() => request.destroy());
    });
    expect(performance.now() - began).to.be.within(uploadTimeout, uploadTimeout + 2_000);
    expect((await client.put('[]')).status, 'the next').to.equal(204);
  });

  it('nobody after a client that went away in the middle of its feed: the history has that run, and the next one works', async () => {
    await client.unchanged(async () => {
      const { request } = begin(`${shared.cluster.url}/api/sync`, { method: 'PUT', headers: json });
      request.on('error', () => {});
      request.write('[{"id":1},');
      await shared.cluster.until('it is uploading', ({ run }) => run?.state === 'uploading');
      request.destroy();
      const { run } = await shared.cluster.until('it has failed', (status) => status.run?.state === 'failed');
      expect(run?.error?.code).to.equal('upload-aborted');
    });
    expect((await client.put('[{"id":1}]')).status).to.equal(204);
  });

  it('what a client sends through a proxy, with 403 as long as there is no token', async () => {
    for (const header of ['X-Forwarded-For', 'Forwarded']) {
      const { reply } = await client.refused({ status: 403, code: 'forbidden' }, () =>
        client.put('[]', { [header]: 'for=192.0.2.1' }),
      );
      expect(reply.text).to.include('QUIESCE_SYNC_TOKEN');
      await shared.database.db.collection('resources').deleteMany({});
    }
  });
});

describe('PUT /api/sync with a token', function () {
  this.timeout(30_000);
  const shared = useSharedCluster({ instances: 1, primaryEnv: { QUIESCE_SYNC_TOKEN: 's3cret-token' } });
  const client = new SyncClient(shared);

  it('is taken from whoever has it, proxies or not', async () => {
    const headers = { Authorization: 'Bearer s3cret-token', 'X-Forwarded-For': '192.0.2.1' };
    expect((await client.put('[{"id":1}]', headers)).status).to.equal(204);
  });

  for (const [who, headers] of [
    ['nobody', {}],
    ['one with another token', { Authorization: 'Bearer s3cret' }],
    ['one with another scheme', { Authorization: 'Basic s3cret-token' }],
  ] as const) {
    it(`is refused to ${who}, with 401 and how to ask`, async () => {
      const expected = { status: 401, code: 'unauthorized' };
      const { reply } = await client.refused(expected, () => client.put('[]', headers));
      expect(reply.headers['www-authenticate']).to.match(/^Bearer\b/);
      expect(reply.text).to.not.include('s3cret-token');
    });
  }

  it('is refused without it during a run, too', async () => {
    const { request, reply } = begin(`${shared.cluster.url}/api/sync`, {
      method: 'PUT',
      headers: { ...json, Authorization: 'Bearer s3cret-token' },
    });
    request.write('[');
    await shared.cluster.until('it is uploading', ({ run }) => run?.state === 'uploading');
    const refused = await client.put('[]');
    expect(problemIn(refused).code).to.equal('unauthorized');
    request.end(']');
    expect((await reply).status).to.equal(204);
  });

  it('keeps the token from the app and from everybody who looks at its processes', async () => {
    const { workers, pid } = await shared.cluster.status();
    for (const worker of workers) {
      expect(await readFile(`/proc/${worker.pid}/environ`, 'latin1')).to.not.include('s3cret-token');
      expect(await readFile(`/proc/${worker.pid}/cmdline`, 'latin1')).to.not.include('s3cret-token');
    }
    expect(await readFile(`/proc/${pid}/cmdline`, 'latin1')).to.not.include('s3cret-token');
    expect(shared.cluster.output).to.not.include('s3cret-token');
  });
});
