/** `sync.source`: feeds that the primary fetches, from servers that do what servers do. */
import http from 'node:http';
import https from 'node:https';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runRecord, type RunRecord } from '#quiesce/protocol/api/runs.js';
import { scratchFolders } from '../../unit/scratch.ts';
import { certificates, type Certificates } from '../harness/certificates.ts';
import { quiesce } from '../harness/commands/command.ts';
import { send } from '../harness/clients/lines.ts';
import { startReceiver, type Receiver } from '../harness/receiver.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { until as soon } from '../harness/until.ts';

const script = fileURLToPath(new URL('../fixtures/shop-app.js', import.meta.url));
const feed = JSON.stringify([{ id: 'a', price: '2.50' }]);
/** It is asked each second, and a thread starts each time. */
const until: typeof soon = (what, probe) => soon(what, probe, { within: 30_000 });
const json = { 'Content-Type': 'application/json' };

describe('a feed that the primary fetches', function () {
  this.timeout(120_000);
  let answer: http.RequestListener = (_req, res) => res.writeHead(404).end();
  let asked: http.IncomingHttpHeaders[] = [];
  const server = http.createServer((req, res) => {
    asked.push(req.headers);
    answer(req, res);
  });
  const scratch = scratchFolders();
  let made: Certificates | null = null;
  /** Another host than that of the source. */
  let elsewhere: { readonly url: string; readonly asked: http.IncomingHttpHeaders[]; readonly server: http.Server };
  let receiver: Receiver;
  const shared = useSharedCluster(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    elsewhere = await startElsewhere();
    made = certificates(scratch());
    receiver = await startReceiver();
    const { port } = server.address() as AddressInfo;
    const url = `http://me:verysecret@127.0.0.1:${port}/feed?sig=verysecret`;
    const source = { url, cron: '* * * * * *', headers: { 'X-Key': 'verysecret' }, timeout: '800ms' };
    return {
      script,
      instances: 2,
      primaryEnv: made === null ? {} : { NODE_EXTRA_CA_CERTS: made.trusted },
      quiesce: { sync: { source, max_bytes: '1M' }, notify: [{ url: receiver.url, events: ['fetch-failed'] }] },
    };
  });
  after(async () => {
    for (const each of [server, elsewhere.server]) {
      each.close();
      each.closeAllConnections();
    }
    await receiver.close();
  });

  const runs = async (): Promise<RunRecord[]> => {
    const { dataDir, folder } = shared.cluster;
    const { out } = await quiesce(['runs', '--json', '--data-dir', dataDir], { cwd: folder });
    return runRecord.array().parse(JSON.parse(out));
  };
  const stored = (): Promise<unknown[]> => shared.database.db.collection('resources').find().toArray();
  const isEmpty = (name: string): Promise<unknown> =>
    until(`nothing is left in ${name}`, () => readdirSync(join(shared.cluster.dataDir, name)).length === 0);

  it('goes the way of a PUT, through transform and validate, and is not mirrored again while it has not changed', async () => {
    answer = (req, res) => {
      if (req.headers['if-none-match'] === '"1"') return void res.writeHead(304).end();
      res.writeHead(200, { ...json, ETag: '"1"' }).end(feed);
    };
    await until('it is mirrored', async () => (await stored()).length === 1);
    expect(await stored()).to.deep.equal([{ _id: 'a', price: 2.5 }]);
    await until('the server says that it has not changed', () => asked.at(-1)?.['if-none-match'] === '"1"');
    const before = asked.length;
    await until('it is asked again', () => asked.length > before + 1);
    const [run, ...more] = (await runs()).filter(({ state }) => state === 'succeeded');
    expect(more).to.deep.equal([]);
    expect(run).to.include({ collection: 'resources', state: 'succeeded' });
    expect(run!.source).to.match(/^http:\/\/127\.0\.0\.1:\d+\/feed\?…$/);
    expect(asked[0]).to.include({ 'x-key': 'verysecret', authorization: `Basic ${btoa('me:verysecret')}` });
    const { dataDir, folder } = shared.cluster;
    const { out } = await quiesce(['runs', run!.id, '--data-dir', dataDir], { cwd: folder });
    expect(out).to.match(/mirrors into resources from http:\/\/127\.0\.0\.1:\d+\/feed\?…\n/);
    expect(out, 'nobody sent it').to.not.include('requested by');
    const told = await send(`${shared.cluster.url}/api/sync/${run!.id}`);
    expect(JSON.parse(told.text)).to.include({ collection: 'resources' }).and.not.have.property('source');
    expect(shared.output).to.include('has not changed').and.not.include('verysecret');
    expect(JSON.stringify(await shared.cluster.status())).to.not.include('verysecret');
  });

  const bad: Record<string, [http.RequestListener, RegExp]> = {
    'is too slow': [(_req, res) => res.writeHead(200, json).write('['), /was not complete after 800 ms/],
    'says more than it sends': [
      (_req, res) => {
        res.writeHead(200, { ...json, 'Content-Length': 100 }).write('[]');
        setTimeout(() => res.destroy(), 50);
      },
      /was cut off/,
    ],
    'sends to another protocol': [
      (_req, res) => res.writeHead(302, { Location: 'ftp://elsewhere.example/' }).end(),
      /redirects to ftp:/,
    ],
    'sends to another host, which wants what the first one got': [
      (_req, res) => res.writeHead(302, { Location: elsewhere.url }).end(),
      /answered 401 .*it is on another server than the address says/,
    ],
    'says 20 GB': [
      (_req, res) => res.writeHead(200, { ...json, 'Content-Length': 20 * 1024 ** 3 }).write('['),
      /has 21474836480 bytes, and 1048576 are allowed/,
    ],
    'never ends': [
      (_req, res) => {
        res.writeHead(200, json);
        const more = (): void =>
          void (!res.destroyed && res.write('[1,2,3],'.repeat(10_000), () => setImmediate(more)));
        more();
      },
      /has more bytes, and 1048576 are allowed/,
    ],
    'has no feed': [(_req, res) => res.writeHead(200, { 'Content-Type': 'text/html' }).end(), /is a page of HTML/],
  };
  it('pauses nothing where its server fails, and tells of it', async () => {
    answer = (_req, res) => res.writeHead(404).end();
    await until('what was going on is over', async () => (await shared.cluster.status()).phase === 'serving');
    const known = (await runs()).map(({ id }) => id);
    const { epoch } = await shared.cluster.status();
    for (const [what, [listener, message]] of Object.entries(bad)) {
      const from = shared.output.length;
      answer = listener;
      await until(`it is told that the server ${what}`, () => message.test(shared.output.slice(from)));
    }
    answer = (_req, res) => res.writeHead(404).end();
    expect((await runs()).map(({ id }) => id)).to.deep.equal(known);
    expect((await shared.cluster.status()).epoch).to.equal(epoch);
    await until('a notice', () => receiver.received.some(({ body }) => body.includes('"fetch-failed"')));
    expect(shared.output + receiver.received.map(({ body }) => body).join('')).to.not.include('verysecret');
    await isEmpty('spool');
    expect(elsewhere.asked).to.not.be.empty;
    for (const headers of elsewhere.asked) expect(headers).to.not.have.any.keys('x-key', 'authorization');
  });

  it('is not taken from a server whose certificate has expired', async function () {
    if (made === null) return this.skip();
    const { key, expired: cert } = made;
    const late = https.createServer({ key, cert }, (_req, res) => res.writeHead(200, json).end('[]'));
    await once(late.listen(0, '127.0.0.1'), 'listening');
    const { epoch } = await shared.cluster.status();
    const known = (await runs()).length;
    answer = (_req, res) =>
      res.writeHead(302, { Location: `https://127.0.0.1:${(late.address() as AddressInfo).port}/` }).end();
    await until('it is told', () => /has a certificate that has expired.*CERT_HAS_EXPIRED/.test(shared.output));
    answer = (_req, res) => res.writeHead(404).end();
    late.close();
    expect((await runs()).length).to.equal(known);
    const { sources, epoch: after } = await shared.cluster.status();
    expect(after).to.equal(epoch);
    expect(sources![0]!.last).to.include({ outcome: 'failed', code: 'fetch-failed' });
  });
});

async function startElsewhere(): Promise<{ url: string; asked: http.IncomingHttpHeaders[]; server: http.Server }> {
  const asked: http.IncomingHttpHeaders[] = [];
  const server = http.createServer(({ headers }, res) => {
    asked.push(headers);
    res.writeHead(401).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked, server };
}

describe('the feeds of mirrors that share a collection', function () {
  this.timeout(120_000);
  const server = http.createServer(({ url }, res) => {
    res.writeHead(200, { ...json, ETag: '"1"' }).end(JSON.stringify([{ id: `of ${url}` }]));
  });
  const shared = useSharedCluster(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const tenants = fileURLToPath(new URL('../fixtures/two-mirrors-app.js', import.meta.url));
    return { script: tenants, instances: 2, env: { FEEDS: `http://127.0.0.1:${port}` } };
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  it('are each fetched for the mirror that brings the source, in code', async () => {
    const stock = shared.database.db.collection('stock');
    await until('both are mirrored', async () => (await stock.countDocuments()) === 2);
    expect(await stock.find().sort({ _id: 1 }).toArray()).to.deep.equal([
      { _id: 'of /north', tenant: 'north' },
      { _id: 'of /south', tenant: 'south' },
    ]);
    await until('the status tells of both', async () => {
      const { sources = [] } = await shared.cluster.status();
      return sources.length === 2 && sources.every(({ last }) => last !== undefined && last.outcome !== 'failed');
    });
    const { out } = await quiesce(['status', '--data-dir', shared.cluster.dataDir], { cwd: shared.cluster.folder });
    expect(out).to.match(/\/south +stock tenant=south +(in \d+ \w+|now) +(mirrored|unchanged) \d/);
  });
});
