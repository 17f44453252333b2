import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { runRecord } from '#quiesce/protocol/api/runs.js';
import { scratchFolders } from '../../unit/scratch.ts';
import { certificates } from '../harness/certificates.ts';
import { quiesce, type Ended } from '../harness/commands/command.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';

describe('quiesce sync of an address', function () {
  this.timeout(120_000);
  const shared = useSharedCluster({});
  const scratch = scratchFolders();
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  const listening = async (server: http.Server | https.Server): Promise<number> => {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const sync = (address: string, more: string[] = [], env: Record<string, string> = {}): Promise<Ended> =>
    quiesce(['sync', address, '--data-dir', shared.cluster.dataDir, ...more], { cwd: shared.cluster.folder, env });
  const runs = async (): Promise<string[]> => {
    const { out } = await quiesce(['runs', '--json', '--data-dir', shared.cluster.dataDir], {
      cwd: shared.cluster.folder,
    });
    return runRecord
      .array()
      .parse(JSON.parse(out))
      .map(({ id }) => id);
  };

  it('sends what the address has, as from a file', async () => {
    const port = await listening(
      http.createServer((req, res) => {
        if (req.headers.authorization !== 'Bearer secret') return void res.writeHead(401).end();
        res.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Content-Encoding': 'gzip' });
        res.end(gzipSync('{"id":1}\n{"id":2}\n'));
      }),
    );
    const address = `http://127.0.0.1:${port}/feed`;
    const withHeader = await sync(address, ['--header-env', 'Authorization=FEED_AUTH'], { FEED_AUTH: 'Bearer secret' });
    expect(withHeader.code, withHeader.err).to.equal(0);
    expect(withHeader.out).to.include('2 inserted');
    const dry = await sync(address, ['--header', 'Authorization: Bearer secret', '--dry-run']);
    expect(dry.out).to.include('2 unchanged');
  });

  it('sends CSV as NDJSON, and nothing of it where a row is wrong', async () => {
    await writeFile(join(shared.cluster.folder, 'feed.csv'), 'id,name\n1,a\n2,\n');
    const sent = await sync('feed.csv');
    expect(sent.code, sent.err).to.equal(0);
    expect(sent.out).to.include('2 inserted');
    await writeFile(join(shared.cluster.folder, 'feed.csv'), `id,name\n${'1,a\n'.repeat(30_000)}2\n`);
    const broken = await sync('feed.csv');
    expect(broken).to.include({ code: 1, out: '' });
    expect(broken.err).to.include('line 30002');
    expect(await shared.database.db.collection('resources').countDocuments()).to.equal(2);
  });

  it('begins no run where the feed does not come whole', async () => {
    const before = await runs();
    const port = await listening(
      http.createServer((req, res) => {
        if (req.url === '/304') return void res.writeHead(304).end();
        const more = req.url === '/large' ? {} : { 'Content-Length': 100 };
        res.writeHead(200, { 'Content-Type': 'application/x-ndjson', ...more }).write('{"id":1}\n');
        if (req.url === '/half') setImmediate(() => res.destroy());
        if (req.url === '/large') res.end('{"id":2}\n');
      }),
    );
    const failing: [string, string[], RegExp][] = [
      ['304', [], /has not changed/],
      ['half', [], /cut off/],
      ['slow', ['--fetch-timeout', '300ms'], /not complete after 300 ms/],
      ['large', ['--fetch-max-bytes', '10'], /10 are allowed/],
    ];
    for (const [path, more, message] of failing) {
      const { code, err } = await sync(`http://me:secret@127.0.0.1:${port}/${path}`, more);
      expect(code, path).to.equal(1);
      expect(err).to.match(message).and.not.include('secret');
    }
    expect(await runs()).to.deep.equal(before);
  });

  it('trusts no certificate that has expired, and does not leave https', async function () {
    const made = certificates(scratch());
    if (made === null) return this.skip();
    const redirects: http.RequestListener = (_req, res) =>
      res.writeHead(302, { Location: 'http://127.0.0.1:1/feed' }).end();
    for (const [cert, message] of [
      [made.expired, /certificate that has expired.*CERT_HAS_EXPIRED/],
      [made.valid, /redirects from https to http:/],
    ] as const) {
      const port = await listening(https.createServer({ key: made.key, cert }, redirects));
      const { code, err } = await sync(`https://127.0.0.1:${port}/feed`, [], {
        NODE_EXTRA_CA_CERTS: made.trusted,
      });
      expect(code).to.equal(1);
      expect(err).to.match(message);
    }
  });
});
