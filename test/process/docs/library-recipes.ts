/** The recipes of docs/library.md at work: each does what the page says. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../../../dev/free-port.ts';
import { json, problemIn, send, type Message, type Reply } from '../harness/clients/lines.ts';
import type { TestDatabase } from '../harness/mongodb/mongo.ts';
import { until } from '../harness/until.ts';

const tether = new URL('../../../dev/tether.js', import.meta.url).href;

type Ask = (path: string, message?: Message) => Promise<Reply>;
const post = { method: 'POST' } as const;
const put = (feed: object): Message => ({ method: 'PUT', headers: json, body: JSON.stringify(feed) });

/** The database of the recipe that names one. */
const stockOf = ({ name }: TestDatabase): string => `${name}_stock`;

export interface Started {
  readonly ask: Ask;
  readonly database: TestDatabase;
  /** What it has written to its standard output. */
  printed(): string;
  /** Ends it by SIGTERM; resolves with its code and signal. */
  stop(): Promise<unknown[]>;
  kill(): Promise<void>;
}

/** Starts a compiled recipe in one process, as `node app.js` does. */
export async function start(folder: string, name: string, database: TestDatabase): Promise<Started> {
  const port = await freePort();
  const uri = new URL(database.uri);
  uri.pathname = `/${database.name}`;
  const { QUIESCE_SYNC_TOKEN: _token, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--import', tether, join(folder, name.replace('.ts', '.js'))], {
    cwd: folder,
    env: { ...inherited, PORT: String(port), HOST: '127.0.0.1', MONGODB_URI: uri.href, STOCK_DB: stockOf(database) },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  let printed = '';
  child.stdout!.on('data', (chunk) => (printed += String(chunk)));
  const ask: Ask = (path, message = {}) => send(`http://127.0.0.1:${port}${path}`, message);
  const serves = (): Promise<boolean> =>
    ask('/nothing').then(
      ({ status }) => status === 404,
      () => false,
    );
  await until('it serves', serves, { within: 30_000 }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return {
    ask,
    database,
    printed: () => printed,
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

export const recipes: Record<string, (started: Started) => Promise<void>> = {
  'gate.ts': async ({ ask }) => {
    const run = ask('/reindex', post);
    await until('it is paused', async () => (await ask('/status')).text === '{"paused":true}');
    expect((await ask('/orders')).status, 'a request that was held').to.equal(200);
    expect((await ask('/status')).text).to.equal('{"paused":false}');
    expect((await run).status).to.equal(200);
  },
  'read-only.ts': async ({ ask }) => {
    const run = ask('/reindex', post);
    await until('it is paused', async () => (await ask('/orders', post)).status === 503);
    expect((await ask('/orders')).status).to.equal(200);
    expect((await run).text).to.equal('{"done":true}');
  },
  'exclusive.ts': async ({ ask }) => {
    expect((await ask('/tables/orders/rebuild', post)).text).to.equal('{"rebuilt":"orders"}');
  },
  'tenants.ts': async ({ ask, database }) => {
    const since = '2026-01-02T03:04:05Z';
    expect((await ask('/api/north', put([{ sku: 'a' }, { sku: 'b', since: { $date: since } }]))).status).to.equal(204);
    expect(await database.db.collection('products').distinct('since')).to.deep.equal([new Date(since)]);
    expect((await ask('/api/south', put([{ sku: 'c' }]))).status).to.equal(204);
    expect((await ask('/api/north', put([{ sku: 'a' }]))).status).to.equal(204);
    const all = await database.db.collection('products').find().sort({ _id: 1 }).toArray();
    expect(all).to.deep.equal([
      { _id: 'a', tenant: 'north' },
      { _id: 'c', tenant: 'south' },
    ]);
  },
  'sources.ts': async ({ ask }) => {
    expect((await ask('/api/north', put([{ sku: 'a' }]))).status).to.equal(204);
  },
  'products.ts': async ({ ask, database }) => {
    expect((await ask('/api/sync', put([{ sku: 'abc', price: '2.50' }]))).status).to.equal(204);
    expect(await database.db.collection('products').find().toArray()).to.deep.equal([{ _id: 'abc', price: 2.5 }]);
    const problem = problemIn(
      await ask(
        '/api/sync',
        put([
          { sku: 'abc', price: '1' },
          { sku: 'x', price: '-1' },
        ]),
      ),
    );
    expect((problem['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)).to.deep.equal([
      '/1/sku',
      '/1/price',
    ]);
  },
  'merge.ts': async ({ ask, database }) => {
    const stock = database.db.client.db(stockOf(database));
    const articles = stock.collection<{ _id: object }>('articles');
    const feed = (...list: object[]): Promise<Reply> =>
      ask('/api/stock', put({ made: 'today', data: { articles: list } }));
    const a = { shop: 'a', sku: { id: 7 }, price: 2 };
    const b = { shop: 'b', sku: { id: 7 }, price: 3 };
    expect((await feed(a)).status).to.equal(204);
    await articles.updateOne({}, { $set: { createdAt: 'by the app' } });
    expect((await feed({ ...a, price: 4, createdAt: 'by the feed' }, b)).status).to.equal(204);
    const problem = problemIn(await feed({ ...b, price: -1 }));
    expect((problem['errors'] as { pointer: string }[])[0]!.pointer).to.equal('/data/articles/0/price');
    expect((await feed(b)).headers['quiesce-counts']).to.equal('inserted=0, updated=0, deleted=0, unchanged=1');
    expect(await articles.find().sort({ _id: 1 }).toArray()).to.deep.equal([
      { _id: { shop: 'a', 'sku.id': 7 }, ...a, price: 4, createdAt: 'by the app' },
      { _id: { shop: 'b', 'sku.id': 7 }, ...b },
    ]);
    await stock.dropDatabase();
  },
  'before-and-after.ts': async ({ ask }) => {
    expect((await ask('/api/sync', put([{ id: 'a' }]))).status).to.equal(204);
    expect(JSON.parse((await ask('/done')).text)).to.deep.equal(['before resources', 'after 1 ["a"]']);
  },
  'cache.ts': async ({ ask }) => {
    for (const price of [1, 2]) {
      expect((await ask('/api/sync', put([{ id: 'a', price }]))).status).to.equal(204);
      expect(JSON.parse((await ask('/products/a')).text)).to.deep.equal({ _id: 'a', price });
    }
  },
  'queue.ts': async ({ ask }) => {
    await until('it consumes', async () => Number((await ask('/consumed')).text) > 2);
    expect((await ask('/alone', post)).text).to.equal('{"consumedMeanwhile":0}');
    const { text } = await ask('/consumed');
    await until('it consumes again', async () => Number((await ask('/consumed')).text) > Number(text));
  },
  'state.ts': async ({ ask }) => {
    const open = { paused: false, gate: 'open', holds: [], run: null, stopping: false };
    expect(JSON.parse((await ask('/state')).text)).to.deep.include(open);
  },
  'after-the-answer.ts': async ({ ask }) => {
    expect((await ask('/orders', post)).status).to.equal(201);
    expect((await ask('/alone', post)).text).to.equal('["mail sent"]');
  },
  'probes.ts': async ({ ask }) => {
    expect([(await ask('/livez')).status, (await ask('/readyz')).status, (await ask('/orders')).status]).to.deep.equal([
      200, 200, 200,
    ]);
  },
  'program.ts': async ({ ask, printed, stop }) => {
    expect((await ask('/orders')).status).to.equal(200);
    await until('its work is done', () => printed().includes('moved while 2 workers were at rest'));
    expect(await stop()).to.deep.equal([0, null]);
  },
};
