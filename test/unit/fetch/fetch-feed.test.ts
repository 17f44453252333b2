import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Server } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { FetchOptions } from '#quiesce/fetch/fetch-feed.js';
import { fetchFeed } from '#quiesce/fetch/kept-feed.js';
import { feedHeaders } from '#quiesce/cli/sync/feed-headers.js';
import { openFeed } from '#quiesce/cli/sync/feed-source.js';
import { QuiesceError } from '#quiesce/errors.js';
import { scratchFolders } from '../scratch.ts';

const limits = { connect: 5000, idle: 5000, total: 20_000 };
const hints = { timeout: '--fetch-timeout', maxBytes: '--fetch-max-bytes', headers: '--header' };
const usual: FetchOptions = { limits, maxBytes: 1000, hints };
const feed = '[{"id":1}]';

describe('a feed that is fetched', () => {
  const scratch = scratchFolders();
  let folder: string;
  const servers: Server[] = [];
  let temporary: string;
  const before = process.env['TMPDIR'];
  beforeEach(() => {
    folder = scratch();
    temporary = mkdtempSync(join(os.tmpdir(), 'quiesce-test-'));
    process.env['TMPDIR'] = temporary;
  });
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      if (server instanceof http.Server) server.closeAllConnections();
    }
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    const left = readdirSync(temporary);
    rmSync(temporary, { recursive: true });
    expect(left, 'nothing is left').to.deep.equal([]);
  });

  const listening = async (server: Server, scheme = 'http'): Promise<string> => {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const serve = (listener: RequestListener): Promise<string> => listening(http.createServer(listener));
  /** Says exactly this to whoever connects, and ends. */
  const say = (answer: string): Promise<string> =>
    listening(
      net.createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end(answer));
      }),
    );
  const refused = async (fetched: Promise<unknown>): Promise<QuiesceError> => {
    const error = await fetched.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(QuiesceError);
    return error as QuiesceError;
  };

  const answers: [string, http.OutgoingHttpHeaders, string, string | undefined][] = [
    ['/feed', { 'Content-Type': 'application/json; charset=utf-8' }, 'application/json', undefined],
    ['/feed', { 'Content-Type': 'application/geo+json' }, 'application/json', undefined],
    ['/feed', { 'Content-Type': 'application/x-ndjson' }, 'application/x-ndjson', undefined],
    ['/feed.jsonl', { 'Content-Type': 'text/plain' }, 'application/x-ndjson', undefined],
    ['/feed.json', {}, 'application/json', undefined],
    ['/feed.json.gz', { 'Content-Type': 'application/gzip' }, 'application/json', 'gzip'],
    ['/feed', { 'Content-Type': 'application/json', 'Content-Encoding': 'x-gzip' }, 'application/json', 'gzip'],
    ['/feed.json.gz', { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }, 'application/json', 'gzip'],
  ];
  for (const [path, headers, type, coding] of answers) {
    it(`is ${type}${coding ? ` in ${coding}` : ''}: ${path} ${JSON.stringify(headers)}`, async () => {
      const body = coding === undefined ? Buffer.from(feed) : gzipSync(feed);
      const base = await serve((_req, res) => res.writeHead(200, headers).end(body));
      const source = await fetchFeed(`${base}${path}`, usual);
      expect(source.bytes).to.equal(body.length);
      expect(source.headers).to.deep.equal({
        'Content-Type': type,
        ...(coding === undefined ? {} : { 'Content-Encoding': coding }),
        'Content-Length': String(body.length),
      });
      expect(readdirSync(temporary), 'no file with a name').to.deep.equal([]);
      expect(Buffer.concat(await source.stream.toArray())).to.deep.equal(body);
    });
  }

  const notFeeds: [string, number, http.OutgoingHttpHeaders, string, RegExp][] = [
    ['HTML', 200, { 'Content-Type': 'text/html' }, 'unsupported-media-type', /page of HTML/],
    ['another type', 200, { 'Content-Type': 'application/xml' }, 'unsupported-media-type', /"application\/xml"/],
    ['no type', 200, {}, 'unsupported-media-type', /no type.*--ndjson/],
    ['Latin-1', 200, { 'Content-Type': 'application/json; charset=latin1' }, 'unsupported-media-type', /"latin1"/],
    [
      'deflate',
      200,
      { 'Content-Type': 'application/json', 'Content-Encoding': 'deflate' },
      'unsupported-media-type',
      /deflate/,
    ],
    ['304', 304, {}, 'fetch-failed', /304.*has not changed/],
    ['206', 206, { 'Content-Type': 'application/json' }, 'fetch-failed', /206.*whole/],
    ['204', 204, {}, 'fetch-failed', /answered 204/],
    ['401', 401, {}, 'fetch-failed', /401 Unauthorized.*--header/],
    ['404', 404, { 'Content-Type': 'application/json' }, 'fetch-failed', /answered 404 Not Found/],
    ['503', 503, { 'Content-Type': 'application/json' }, 'fetch-failed', /answered 503/],
    ['a redirect without a target', 302, {}, 'fetch-failed', /answered 302/],
    ['a redirect to a file', 302, { Location: 'file:///etc/passwd' }, 'fetch-failed', /redirects to file:/],
    ['a redirect to itself', 302, { Location: '/feed' }, 'fetch-failed', /redirects more than 5 times/],
  ];
  for (const [what, status, headers, code, message] of notFeeds) {
    it(`is refused where the answer is ${what}`, async () => {
      const base = await serve((_req, res) => res.writeHead(status, headers).end());
      const error = await refused(fetchFeed(`${base}/feed?sig=secret`, usual));
      expect(error).to.include({ code, exitCode: 1 });
      expect(error.message).to.match(message).and.not.include('secret');
    });
  }

  it('sends its headers, and the name and password of the address, but never to another host', async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((req, res) => {
      seen.push(req.headers.authorization, req.headers['x-api-key'] as string | undefined);
      res.writeHead(401).end();
    });
    const base = await serve((req, res) => {
      seen.push(req.headers.authorization, req.headers['x-api-key'] as string | undefined);
      res.writeHead(302, { Location: req.url === '/a' ? '/b' : `${other}/c` }).end();
    });
    const address = `${base.replace('://', '://me:p%40ss@')}/a`;
    const error = await refused(fetchFeed(address, { ...usual, headers: { 'X-Api-Key': 'key' } }));
    const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(seen).to.deep.equal([basic, 'key', basic, 'key', undefined, undefined]);
    expect(error.message).to.include(`${other}/c answered 401`).and.include('another server');
    expect(error.message).to.not.match(/p%40ss|p@ss/);
  });

  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n';
  const halves: [string, string, RegExp][] = [
    ['is shorter than its Content-Length', `${head}Content-Length: 100\r\n\r\n{"id":1}\n`, /cut off/],
    ['misses its last chunk', `${head}Transfer-Encoding: chunked\r\n\r\n9\r\n{"id":1}\n\r\n`, /cut off/],
    ['does not say where it ends', `${head}\r\n{"id":1}\n`, /whether it came whole/],
    ['is no HTTP', 'what?\r\n\r\n', /cannot be fetched: Parse Error/],
  ];
  for (const [what, answer, message] of halves) {
    it(`is refused where it ${what}`, async () => {
      const error = await refused(fetchFeed(`${await say(answer)}/feed`, usual));
      expect(error.code).to.equal('fetch-failed');
      expect(error.message).to.match(message);
    });
  }

  it('is bounded in bytes: by what the server says, and by what it sends', async () => {
    let left = Infinity;
    const base = await serve((req, res) => {
      res.setHeader('Content-Type', 'application/json');
      if (req.url === '/says') return void res.writeHead(200, { 'Content-Length': 20 * 1024 ** 3 }).write('[');
      res.on('close', () => (left = 0));
      const more = (): void => {
        while (left > 0 && res.write('[1,2,3,4],'.repeat(1000)));
      };
      res.on('drain', more);
      more();
    });
    for (const path of ['/says', '/sends']) {
      const error = await refused(fetchFeed(`${base}${path}`, usual));
      expect(error.code).to.equal('payload-too-large');
      expect(error.message).to.include('1000 are allowed').and.include('--fetch-max-bytes');
    }
  });

  it('is bounded in time: without a connection, without a byte, and in all', async () => {
    const silent = await listening(net.createServer(() => undefined));
    const stuck = await serve((_req, res) => res.writeHead(200, { 'Content-Type': 'application/json' }).write('['));
    const trickle = await serve((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'application/json' });
      const timer = setInterval(() => res.write('['), 20);
      res.on('close', () => clearInterval(timer));
    });
    const cases: [string, Partial<typeof limits>, RegExp][] = [
      [silent.replace('http', 'https'), { connect: 100 }, /no connection after 100 ms/],
      [silent, { idle: 100 }, /sent nothing for 100 ms/],
      [stuck, { idle: 100 }, /sent nothing for 100 ms/],
      [trickle, { total: 300 }, /not complete after 300 ms.*--fetch-timeout/],
    ];
    for (const [base, short, message] of cases) {
      const error = await refused(fetchFeed(`${base}/feed`, { ...usual, limits: { ...limits, ...short } }));
      expect(error.code).to.equal('fetch-failed');
      expect(error.message).to.match(message);
    }
  });

  it('names what is wrong with a host or a certificate, and follows no redirect away from https', async function () {
    const made = spawnSync(
      'openssl',
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -subj /CN=localhost -days 1'.split(
        ' ',
      ),
      { cwd: folder },
    );
    if (made.status !== 0) this.skip();
    const pair = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) };
    const insecure = await serve((_req, res) => res.end(feed));
    const secure = await listening(
      https.createServer(pair, (_req, res) => res.writeHead(302, { Location: `${insecure}/x` }).end()),
      'https',
    );
    expect((await refused(fetchFeed(`${secure}/feed`, usual))).message).to.match(/DEPTH_ZERO_SELF_SIGNED_CERT/);
    expect((await refused(fetchFeed(`${insecure.replace('http', 'https')}/feed`, usual))).message).to.match(/TLS/);
    const gone = await serve(() => undefined);
    servers.pop()!.close();
    expect((await refused(fetchFeed(`${gone}/feed`, usual))).message).to.match(/ECONNREFUSED/);
  });

  it('is asked for by http and https only, with headers that can be sent', async () => {
    const fails = async (address: string, fetching = usual): Promise<string> => {
      const error = await refused(openFeed(address, undefined, fetching));
      expect(error.exitCode).to.equal(2);
      return error.message;
    };
    expect(await fails('ftp://me:secret@host/feed'))
      .to.include('ftp://')
      .and.not.include('secret');
    expect(await fails('http://me:secret@:x/feed')).to.not.include('secret');
    expect(await fails('feed.json', { ...usual, headers: { A: 'b' } })).to.include('--header');
    expect(feedHeaders(['A: b: c', 'D:e'], ['F=G'], { G: 'h' })).to.deep.equal({ A: 'b: c', D: 'e', F: 'h' });
    for (const wrong of ['secret', ': secret', 'A b: secret', 'A: secret\nB: c', 'Content-Length: 7'])
      expect(() => feedHeaders([wrong], [])).to.throw(QuiesceError, /^--header(?!.*secret)/s);
    expect(() => feedHeaders([], ['A=B'], {})).to.throw(/B, and that variable is not set/);
  });

  it('is CSV by its type or its name, also in gzip, and is sent as NDJSON', async () => {
    const base = await serve((req, res) => {
      if (req.url === '/feed') return void res.writeHead(200, { 'Content-Type': 'text/csv' }).end('id,a\n1,\n');
      res.end(gzipSync('id,a\n1,\n'));
    });
    for (const path of ['/feed', '/feed.csv.gz']) {
      const source = await fetchFeed(base + path, usual);
      expect(source.headers).to.deep.equal({ 'Content-Type': 'application/x-ndjson' });
      expect(await text(source.stream)).to.equal('{"id":"1","a":""}\n');
    }
  });

  it('can be JSON of unknown length, which ends with its bracket', async () => {
    const base = await say(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n${feed}`);
    expect(await text((await fetchFeed(`${base}/feed`, usual)).stream)).to.equal(feed);
  });
});
