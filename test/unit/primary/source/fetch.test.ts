import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { fetchInThread, type Fetched } from '#quiesce/primary/source/fetch.js';
import type { FetchJob } from '#quiesce/primary/source/messages.js';
import { scratchFolders } from '../../scratch.ts';

const half = 2_000_000;

describe('the file of a feed that the primary fetches', () => {
  const scratch = scratchFolders();
  let folder: string;
  let target: string;
  let asked: Promise<ServerResponse>;
  let url: string;
  const server = http.createServer();
  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    folder = scratch();
    target = join(folder, 'a.fetched');
    asked = once(server, 'request').then(([, res]) => res as ServerResponse);
  });

  const fetching = (more: Partial<FetchJob> = {}): Promise<Fetched> => {
    const job = { url, headers: {}, format: null, known: null, timeout: 30_000, maxBytes: 2 * half, target, ...more };
    return fetchInThread(job, new AbortController().signal);
  };
  /** The bytes of all files in the folder, also of those whose name is removed. */
  const stored = (): number => {
    const open = readdirSync('/proc/self/fd').flatMap((fd) => {
      const path = `/proc/self/fd/${fd}`;
      try {
        const name = readlinkSync(path);
        return name.startsWith(folder) && name.endsWith(' (deleted)') ? statSync(path).size : [];
      } catch {
        return []; // closed meanwhile
      }
    });
    return [...open, ...readdirSync(folder).map((name) => statSync(join(folder, name)).size)].reduce(
      (a, b) => a + b,
      0,
    );
  };
  const bytesAre = async (bytes: number): Promise<void> => {
    while (stored() < bytes) await delay(5);
  };

  it('is written once, while it comes', async () => {
    const done = fetching();
    const res = await asked;
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 2 * half });
    res.write(`["${'x'.repeat(half - 2)}`);
    await bytesAre(half);
    expect(readdirSync(folder)).to.deep.equal(['a.fetched']);
    expect(stored(), 'once').to.equal(half);
    expect(statSync(target).size).to.equal(half);
    res.end(`${'x'.repeat(half - 2)}"]`);
    const found = await done;
    if (found.type !== 'fetched') throw new Error('nothing was known');
    expect(stored()).to.equal(2 * half);
    const digest = createHash('sha256').update(readFileSync(target)).digest('base64');
    expect(found.feed).to.include({ path: target, bytes: 2 * half, digest, format: 'json', coding: 'identity' });
  });

  it('has CSV as lines already while it comes', async () => {
    const done = fetching({ format: 'csv' });
    const res = await asked;
    res.writeHead(200, { ETag: '"1"' });
    res.write(`id,a\n${'1,2\n'.repeat(10_000)}`);
    await bytesAre(10_000);
    expect(readFileSync(target, 'utf8').startsWith('{"id":"1","a":"2"}\n')).to.equal(true);
    res.end('1,3\n');
    const found = await done;
    expect(found).to.deep.include({ type: 'fetched', known: { url, etag: '"1"', lastModified: null } });
    expect(readFileSync(target, 'utf8').split('\n').slice(-2)).to.deep.equal(['{"id":"1","a":"3"}', '']);
  });

  for (const format of ['json', 'csv'] as const)
    it(`is of no use where the server leaves in the middle, and where it is too large: ${format}`, async () => {
      const cut = fetching({ format }).catch((error: unknown) => error);
      const res = await asked;
      res.writeHead(200, { 'Content-Length': 100 }).write('id\n1\n');
      await delay(20);
      res.destroy();
      expect(await cut)
        .to.include({ code: 'fetch-failed' })
        .and.property('message')
        .that.includes('was cut off');
      asked = once(server, 'request').then(([, next]) => next as ServerResponse);
      target = join(folder, 'b.fetched');
      const large = fetching({ format, maxBytes: 5 }).catch((error: unknown) => error);
      (await asked).end('id\n123\n');
      expect(await large).to.include({ code: 'payload-too-large' });
    });

  it('that cannot be written is told as no room', async () => {
    const failed = fetching({ target: join(folder, 'away', 'a.fetched') }).catch((error: unknown) => error);
    (await asked).setHeader('Content-Type', 'application/json').end('[]');
    expect(await failed).to.include({ code: 'insufficient-storage' });
  });
});
