import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { problemIn, send } from '../harness/clients/lines.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { SyncClient } from '../harness/clients/sync-client.ts';

interface Page {
  readonly items: readonly Record<string, unknown>[];
  readonly next: string | null;
}

describe('GET /api/resources', function () {
  this.timeout(30_000);
  const shared = useSharedCluster({ instances: 2 });
  const client = new SyncClient(shared);

  async function page(query: string): Promise<Page> {
    const { status, text } = await client.get(`/api/resources${query}`);
    expect(status, text).to.equal(200);
    return JSON.parse(text) as Page;
  }

  it('gives all documents, page by page, in key order, each as it was in the feed', async () => {
    const items = Array.from({ length: 25 }, (_, n) => ({ id: `item ${String(n).padStart(2, '0')}/ä&?`, n }));
    expect((await client.put(JSON.stringify(items.toReversed()))).status).to.equal(204);
    expect(await page('')).to.deep.equal({ items, next: null });
    const seen: unknown[] = [];
    let pages = 0;
    for (let after: string | null = ''; after !== null; pages += 1) {
      const query: string = after === '' ? '?limit=10' : `?limit=10&after=${encodeURIComponent(after)}`;
      const { items: some, next } = await page(query);
      seen.push(...some);
      after = next;
    }
    expect(pages).to.equal(3);
    expect(seen).to.deep.equal(items);
  });

  it('gives keys of every type, whatever the length of its pages', async () => {
    const ids = [-1.5, 0, 7, 2 ** 40, '', '7', 'a', 'true', '{"x":1}', { x: 1 }, false, true];
    const feed = JSON.stringify(ids.map((id) => ({ id })));
    expect((await client.put(feed)).status).to.equal(204);
    for (const limit of [1, 2, 5]) {
      const seen: unknown[] = [];
      for (let after: string | null = ''; after !== null && seen.length <= ids.length;) {
        const query: string = seen.length === 0 ? '' : `&after=${encodeURIComponent(after)}`;
        const { items, next } = await page(`?limit=${limit}${query}`);
        seen.push(...items.map(({ id }) => id));
        after = next;
      }
      expect(seen, `pages of ${limit}`).to.deep.equal(ids);
    }
    for (const [path, id] of [
      ['7', 7],
      ['%227%22', '7'],
      ['-1.5', -1.5],
      ['a', 'a'],
      ['false', false],
    ] as const) {
      const { status, text } = await client.get(`/api/resources/${path}`);
      expect(status, text).to.equal(200);
      expect(JSON.parse(text), path).to.deep.equal({ id });
    }
  });

  it('gives keys that only Extended JSON has, and goes on after them', async () => {
    const stored = [NaN, -Infinity, 1, Infinity, 'Infinity'].map((_id) => ({ _id }));
    await shared.database.db.collection<{ _id: number | string }>('resources').insertMany(stored);
    const seen: unknown[] = [];
    for (let after: string | null = ''; after !== null && seen.length <= stored.length;) {
      const { items, next } = await page(`?limit=1${seen.length === 0 ? '' : `&after=${encodeURIComponent(after)}`}`);
      seen.push(...items.map(({ id }) => id));
      after = next;
    }
    const double = (text: string): object => ({ $numberDouble: text });
    expect(seen).to.deep.equal([double('NaN'), double('-Infinity'), 1, double('Infinity'), 'Infinity']);
  });

  it('gives one document with the names that a feed may have', async () => {
    const feed = '[{"id":"x","a.b":1,"$x":{"$y":2},"":3,"__proto__":{"a":1},"constructor":4,"1":5}]';
    expect((await client.put(feed)).status).to.equal(204);
    const { status, text } = await client.get('/api/resources/x');
    expect(status, text).to.equal(200);
    const expected = JSON.parse(feed) as [unknown];
    expect(JSON.stringify(sorted(JSON.parse(text)))).to.equal(JSON.stringify(sorted(expected[0])));
  });

  it('gives documents byte for byte as they came: integers of 64 bits, names of any meaning, their order', async () => {
    const items = [
      '{"id":-9223372036854775808,"n":505874924095815681,"d":123456789012345680000,"z":-0,"e":1e-7}',
      '{"id":505874924095815681,"b":{"z":1,"10":2,"_bsontype":"Long"},"2":[{"_bsontype":5}],"1":"\\u0000é😀"}',
      '{"id":505874924095815682,"_bsontype":"ObjectId"}',
      '{"id":{"_bsontype":"ObjectId","z":1,"10":505874924095815683}}',
      '{"id":{"a":{"_bsontype":"Nonsense"},"toBSON":1}}',
    ];
    const feed = `[${items.join(',')}]`;
    for (let round = 0; round < 2; round += 1) {
      const { status, headers, text } = await client.put(feed);
      expect(status, text).to.equal(204);
      if (round === 1) expect(headers['quiesce-counts']).to.match(/unchanged=5$/);
    }
    expect((await client.get('/api/resources')).text).to.equal(`{"items":${feed},"next":null}`);
    let after: string | null = null;
    for (const item of items) {
      const query: string = after === null ? '?limit=1' : `?limit=1&after=${encodeURIComponent(after)}`;
      const { status, text } = await client.get(`/api/resources${query}`);
      expect(status, text).to.equal(200);
      expect(text.startsWith(`{"items":[${item}],`), `${text} for ${query}`).to.equal(true);
      after = (JSON.parse(text) as Page).next;
    }
    expect((await client.get('/api/resources/505874924095815681')).text).to.equal(items[1]);
    expect((await client.get('/api/resources/-9223372036854775808')).text).to.equal(items[0]);
    expect(
      (await client.get(`/api/resources/${encodeURIComponent('{"a":{"_bsontype":"Nonsense"},"toBSON":1}')}`)).text,
    ).to.equal(items[4]);
    const twice = await client.put(`[${items[3]},${items[3]}]`);
    expect(problemIn(twice).code, twice.text).to.equal('invalid-feed');
    expect((await client.put('[]')).status).to.equal(204);
  });

  it('tells a client that has it already that nothing changed, until it has', async () => {
    await client.put('[{"id":"x","n":1}]');
    for (const path of ['/api/resources/x', '/api/resources?limit=5']) {
      const first = await client.get(path);
      expect(first.headers['cache-control']).to.equal('no-cache');
      const condition = { 'If-None-Match': first.headers.etag! };
      const again = await client.get(path, condition);
      expect({ status: again.status, text: again.text }).to.deep.equal({ status: 304, text: '' });
      await client.put('[{"id":"x","n":2}]');
      expect((await client.get(path, condition)).status).to.equal(200);
      await client.put('[{"id":"x","n":1}]');
    }
  });

  it('is 404 for a key that there is none of, and for a path that there is none of', async () => {
    for (const path of ['/api/resources/nothing', '/nowhere']) {
      const reply = await client.get(path);
      expect(reply.status).to.equal(404);
      expect(problemIn(reply)).to.include({ code: 'not-found', instance: path });
    }
  });

  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'limit=1&limit=2', 'after=a&after=b']) {
    it(`refuses ?${query} with 400`, async () => {
      const reply = await client.get(`/api/resources?${query}`);
      expect(reply.status, reply.text).to.equal(400);
      expect(problemIn(reply).code).to.equal('bad-request');
    });
  }

  for (const path of ['/api/resources', '/api/resources/x', '/livez', '/readyz']) {
    it(`refuses to write to ${path} with 405, and says what it takes`, async () => {
      for (const method of ['POST', 'DELETE', 'OPTIONS'] as const) {
        const reply = await send(shared.cluster.url + path, { method });
        expect(reply.status, reply.text).to.equal(405);
        expect(reply.headers['allow']).to.equal('GET, HEAD');
        expect(problemIn(reply).code).to.equal('method-not-allowed');
      }
    });
  }

  it('takes a target with scheme and host for the same one, also while the cluster is held', async () => {
    const ask = async (method: string, path: string): Promise<string> => {
      const socket = connect(shared.cluster.port, '127.0.0.1').setEncoding('utf8');
      const body = method === 'PUT' ? '[]' : '';
      socket.write(
        `${method} http://localhost${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      return (await text(socket)).slice(9, 12);
    };
    await shared.cluster.control.maintenance({ on: true });
    expect(await ask('GET', '/api/sync')).to.equal('200');
    expect(await ask('PUT', '/api/sync')).to.equal('204');
    expect(await ask('GET', '/api/resources')).to.equal('503');
    await shared.cluster.control.maintenance({ on: false });
    expect(await ask('GET', '/api/resources')).to.equal('200');
  });

  it('refuses a path that is not well-formed with 400', async () => {
    expect((await client.get('/api/resources/%E0%A4%A')).status).to.equal(400);
  });
});

/** JSON.stringify tells `__proto__` from a prototype; it must not tell one order of names from another. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => [name, sorted(inner)]);
}
