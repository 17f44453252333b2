import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { fetchChanged, type FetchOptions } from '#quiesce/fetch/fetch-feed.js';

const limits = { connect: 5000, idle: 5000, total: 20_000 };
const hints = { timeout: '--fetch-timeout', maxBytes: '--fetch-max-bytes', headers: '--header' };
const feed = '[{"id":1}]';

describe('a feed that is known', () => {
  const usual: FetchOptions = { limits, maxBytes: 1000, hints };
  const servers: http.Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });
  const serve = async (listener: RequestListener): Promise<string> => {
    const server = http.createServer(listener);
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('is not fetched where the server says that it is what is known', async () => {
    const seen: http.IncomingHttpHeaders[] = [];
    const base = await serve((req, res) => {
      seen.push(req.headers);
      const isKnown = req.headers['if-none-match'] === '"1"' || req.headers['if-modified-since'] === 'yesterday';
      if (isKnown) return void res.writeHead(304).end();
      const state = req.url === '/tag' ? { ETag: '"1"' } : {};
      res.writeHead(200, { 'Content-Type': 'application/json', 'Last-Modified': 'yesterday', ...state }).end(feed);
    });
    for (const [path, etag] of [
      ['/tag', '"1"'],
      ['/time', null],
    ] as const) {
      const first = await fetchChanged(`${base}${path}`, { ...usual, known: null }, text);
      if (first === 'unchanged') throw new Error('nothing was known');
      expect(first.kept).to.equal(feed);
      expect(first.known).to.deep.equal({ url: `${base}${path}`, etag, lastModified: 'yesterday' });
      expect(await fetchChanged(`${base}${path}`, { ...usual, known: first.known }, text)).to.equal('unchanged');
    }
    expect(seen[1]).to.not.have.property('if-modified-since');
  });

  it('is fetched where the 304 is of another file, which a redirect names', async () => {
    let day = 1;
    const base = await serve((req, res) => {
      if (req.url === '/latest') return void res.writeHead(302, { Location: `/${day}` }).end();
      if (req.headers['if-none-match'] === '"same"') return void res.writeHead(304).end();
      const body = JSON.stringify([{ id: req.url }]);
      res.writeHead(200, { 'Content-Type': 'application/json', ETag: '"same"' }).end(body);
    });
    const first = await fetchChanged(`${base}/latest`, { ...usual, known: null }, text);
    if (first === 'unchanged') throw new Error('nothing was known');
    expect(await fetchChanged(`${base}/latest`, { ...usual, known: first.known }, text)).to.equal('unchanged');
    day = 2;
    const second = await fetchChanged(`${base}/latest`, { ...usual, known: first.known }, text);
    if (second === 'unchanged') throw new Error('it is another file');
    expect(second.kept).to.equal('[{"id":"/2"}]');
    expect(second.known.url).to.equal(`${base}/2`);
  });

  it('is refused where a server says 304 that was not asked whether it has changed', async () => {
    const base = await serve((req, res) => {
      if (req.url === '/away') return void res.writeHead(304).end();
      res.writeHead(302, { Location: `${elsewhere}/away` }).end();
    });
    const elsewhere = await serve((_req, res) => res.writeHead(304).end());
    for (const known of [
      { url: `${base}/away`, etag: null, lastModified: null },
      { url: `${elsewhere}/away`, etag: '"1"', lastModified: null }, // no condition goes to another server
    ]) {
      const path = known.etag === null ? '/away' : '/';
      const error: unknown = await fetchChanged(`${base}${path}`, { ...usual, known }, text).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).to.include({ code: 'fetch-failed' });
      expect(error)
        .to.have.property('message')
        .that.matches(/answered 304/);
    }
  });
});
