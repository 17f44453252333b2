/** The recipes of docs/library.md, compiled as TypeScript and started: each does what the page says. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { filesIn } from '../../../dev/docs/commands.ts';
import { root } from '../../../dev/docs/generated.ts';
import { freePort } from '../../../dev/free-port.ts';
import { runProgram } from '../harness/commands/command.ts';
import { json, problemIn, send, type Message, type Reply } from '../harness/clients/lines.ts';
import { useDatabase } from '../harness/mongodb/mongo.ts';
import { until } from '../harness/until.ts';

const tether = new URL('../../../dev/tether.js', import.meta.url).href;
const compiler = fileURLToPath(new URL('node_modules/typescript/bin/tsc', root));
const folder = fileURLToPath(new URL('build/library-recipes', root));

type Ask = (path: string, message?: Message) => Promise<Reply>;
const post = { method: 'POST' } as const;
const put = (feed: object[]): Message => ({ method: 'PUT', headers: json, body: JSON.stringify(feed) });

describe('the recipes of docs/library.md', function () {
  this.timeout(60_000);
  const database = useDatabase();
  let files: Map<string, string>;
  let child: ChildProcess | undefined;
  let printed = '';

  before('they are compiled', async function () {
    this.timeout(120_000);
    const page = await readFile(new URL('docs/library.md', root), 'utf8');
    files = filesIn(page);
    expect(page.match(/^```(ts|js|typescript|javascript)$/gm), 'blocks that no test would see').to.have.lengthOf(
      files.size,
    );
    await rm(folder, { recursive: true, force: true });
    // Below the package, so that `quiesce` is found by its name.
    await mkdir(folder, { recursive: true });
    for (const [name, code] of files) await writeFile(join(folder, name), code);
    // As an app has it that was made with `tsc --init` some years ago, and strict.
    const options = [
      '--strict',
      '--target',
      'es2022',
      '--module',
      'nodenext',
      '--skipLibCheck',
      '--ignoreConfig',
      '--types',
      'node',
    ];
    const { code, out } = await runProgram(process.execPath, [compiler, ...options, ...files.keys()], {
      cwd: folder,
      within: 100_000,
    });
    expect(out).to.equal('');
    expect(code).to.equal(0);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(async () => {
    const ended = child && once(child, 'exit');
    child?.kill('SIGKILL');
    await ended;
    child = undefined;
  });

  /** In one process, as `node app.js` does. */
  async function start(name: string): Promise<Ask> {
    const port = await freePort();
    const uri = new URL(database.uri);
    uri.pathname = `/${database.name}`;
    const { QUIESCE_SYNC_TOKEN: _token, ...inherited } = process.env;
    child = spawn(process.execPath, ['--import', tether, join(folder, name.replace('.ts', '.js'))], {
      cwd: folder,
      env: { ...inherited, PORT: String(port), HOST: '127.0.0.1', MONGODB_URI: uri.href },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    printed = '';
    child.stdout!.on('data', (chunk) => (printed += String(chunk)));
    const ask: Ask = (path, message = {}) => send(`http://127.0.0.1:${port}${path}`, message);
    await until(
      'it serves',
      () =>
        ask('/nothing').then(
          ({ status }) => status === 404,
          () => false,
        ),
      { within: 30_000 },
    );
    return ask;
  }

  const recipes: Record<string, (ask: Ask) => Promise<void>> = {
    'gate.ts': async (ask) => {
      const run = ask('/reindex', post);
      await until('it is paused', async () => (await ask('/status')).text === '{"paused":true}');
      expect((await ask('/orders')).status, 'a request that was held').to.equal(200);
      expect((await ask('/status')).text).to.equal('{"paused":false}');
      expect((await run).status).to.equal(200);
    },
    'read-only.ts': async (ask) => {
      const run = ask('/reindex', post);
      await until('it is paused', async () => (await ask('/orders', post)).status === 503);
      expect((await ask('/orders')).status).to.equal(200);
      expect((await run).text).to.equal('{"done":true}');
    },
    'exclusive.ts': async (ask) => {
      expect((await ask('/tables/orders/rebuild', post)).text).to.equal('{"rebuilt":"orders"}');
    },
    'tenants.ts': async (ask) => {
      expect((await ask('/api/north', put([{ sku: 'a' }, { sku: 'b' }]))).status).to.equal(204);
      expect((await ask('/api/south', put([{ sku: 'c' }]))).status).to.equal(204);
      expect((await ask('/api/north', put([{ sku: 'a' }]))).status).to.equal(204);
      const all = await database.db.collection('products').find().sort({ _id: 1 }).toArray();
      expect(all).to.deep.equal([
        { _id: 'a', tenant: 'north' },
        { _id: 'c', tenant: 'south' },
      ]);
    },
    'sources.ts': async (ask) => {
      expect((await ask('/api/north', put([{ sku: 'a' }]))).status).to.equal(204);
    },
    'products.ts': async (ask) => {
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
    'before-and-after.ts': async (ask) => {
      expect((await ask('/api/sync', put([{ id: 'a' }]))).status).to.equal(204);
      expect(JSON.parse((await ask('/done')).text)).to.deep.equal(['before resources', 'after 1 ["a"]']);
    },
    'cache.ts': async (ask) => {
      for (const price of [1, 2]) {
        expect((await ask('/api/sync', put([{ id: 'a', price }]))).status).to.equal(204);
        expect(JSON.parse((await ask('/products/a')).text)).to.deep.equal({ _id: 'a', price });
      }
    },
    'queue.ts': async (ask) => {
      await until('it consumes', async () => Number((await ask('/consumed')).text) > 2);
      expect((await ask('/alone', post)).text).to.equal('{"consumedMeanwhile":0}');
      const { text } = await ask('/consumed');
      await until('it consumes again', async () => Number((await ask('/consumed')).text) > Number(text));
    },
    'state.ts': async (ask) => {
      const open = { paused: false, gate: 'open', holds: [], run: null, stopping: false };
      expect(JSON.parse((await ask('/state')).text)).to.deep.include(open);
    },
    'after-the-answer.ts': async (ask) => {
      expect((await ask('/orders', post)).status).to.equal(201);
      expect((await ask('/alone', post)).text).to.equal('["mail sent"]');
    },
    'probes.ts': async (ask) => {
      expect([
        (await ask('/livez')).status,
        (await ask('/readyz')).status,
        (await ask('/orders')).status,
      ]).to.deep.equal([200, 200, 200]);
    },
    'program.ts': async (ask) => {
      expect((await ask('/orders')).status).to.equal(200);
      await until('its work is done', () => printed.includes('moved while 2 workers were at rest'));
      const ended = once(child!, 'exit');
      child!.kill('SIGTERM');
      expect(await ended).to.deep.equal([0, null]);
      child = undefined;
    },
  };

  it('are all tried here', () =>
    expect([...files.keys()].filter((name) => name !== 'items.ts').sort()).to.deep.equal(Object.keys(recipes).sort()));
  for (const [name, works] of Object.entries(recipes)) it(`${name} works`, async () => works(await start(name)));
});
