import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { startMongo, type DevMongo } from '../../../dev/mongodb/index.ts';
import { until } from '../harness/until.ts';

describe('the development MongoDB', function () {
  this.timeout(120_000);
  const owners: ChildProcess[] = [];
  const servers: DevMongo[] = [];
  let folder: string;

  before(function () {
    // Nothing is started then, so there is nothing to test.
    if (process.env['MONGODB_URI']) this.skip();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quiesce-kept-'));
  });

  afterEach(async () => {
    for (const owner of owners.splice(0)) owner.kill('SIGKILL');
    for (const server of servers.splice(0)) await server.stop();
    await until('nothing runs in the folder', () => pidsOn(folder).length === 0);
    await rm(folder, { recursive: true });
  });

  async function start(options: Parameters<typeof startMongo>[0] = {}): Promise<DevMongo> {
    const server = await startMongo({ log: () => {}, ...options });
    servers.push(server);
    return server;
  }

  interface Owned {
    readonly owner: ChildProcess;
    readonly uri: string;
    readonly pid: number;
  }

  /** In another process, which can be killed. */
  async function startElsewhere(...args: string[]): Promise<Owned> {
    const script = fileURLToPath(new URL('../fixtures/programs/mongo-owner.js', import.meta.url));
    const owner = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    owners.push(owner);
    const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
    return { owner, ...(JSON.parse(line) as { uri: string; pid: number }) };
  }

  async function withClient<T>(uri: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 });
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  }

  async function folderOf(uri: string): Promise<string> {
    const options = await withClient(uri, (client) => client.db('admin').command({ getCmdLineOpts: 1 }));
    return dirname(options['parsed'].storage.dbPath as string);
  }

  const count = (uri: string): Promise<number> =>
    withClient(uri, (client) => client.db('kept').collection('items').countDocuments());
  const insert = (uri: string): Promise<unknown> =>
    withClient(uri, (client) =>
      client
        .db('kept')
        .collection('items')
        .insertOne({}, { writeConcern: { w: 1, j: true } }),
    );

  function alive(pid: number): boolean {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  }

  it('has transactions and change streams', async () => {
    const { uri } = await start();
    await withClient(uri, async (client) => {
      const items = client.db('kept').collection('items');
      const changes = items.watch();
      const next = changes.next();
      await until('the change stream is open', () => changes.resumeToken);
      await client.withSession((session) =>
        session.withTransaction(async () => {
          await items.insertOne({ name: 'one' }, { session });
          await items.insertOne({ name: 'two' }, { session });
        }),
      );
      const change = await next;
      expect(change).to.have.nested.property('fullDocument.name', 'one');
      await changes.close();
    });
  });

  it('comes back from a crash on the same port with the same data', async () => {
    const server = await start();
    const { uri, pid } = server;
    await insert(uri);
    await server.kill();
    expect(alive(pid ?? 0)).to.equal(false);
    await server.restart();
    expect(server.uri).to.equal(uri);
    expect(await count(uri)).to.equal(1);
  });

  it('keeps the data of a folder that is named, on whatever port it starts next', async () => {
    const first = await start({ dataDir: folder });
    await insert(first.uri);
    await first.stop();
    const second = await start({ dataDir: folder });
    expect(second.uri).to.not.equal(first.uri);
    expect(await count(second.uri)).to.equal(1);
    await insert(second.uri);
    expect(await count(second.uri)).to.equal(2);
  });

  it('refuses a folder that another process works in, and names that process', async () => {
    const { owner } = await startElsewhere(folder);
    const refusal = await startMongo({ dataDir: folder, log: () => {} }).then(
      () => 'none',
      (error: Error) => error.message,
    );
    expect(refusal).to.match(new RegExp(`already run by process ${owner.pid}\\.`));
  });

  it('goes with an owner that is killed, and takes its temporary folder along', async () => {
    const { owner, uri, pid } = await startElsewhere();
    const temporary = await folderOf(uri);
    owner.kill('SIGKILL');
    await until('mongod is gone', () => !alive(pid));
    await until('its folder is gone', () => !existsSync(temporary));
  });

  it('goes with an owner that is killed while mongod starts', async () => {
    const script = fileURLToPath(new URL('../fixtures/programs/mongo-owner.js', import.meta.url));
    const owner = spawn(process.execPath, [script, folder], { stdio: 'ignore' });
    owners.push(owner);
    const running = (): number[] => pidsOn(folder);
    await until('mongod runs', () => running().length > 0, { within: 60_000, every: 10 });
    owner.kill('SIGKILL');
    await until('mongod is gone', () => running().length === 0);
  });

  it('is ended by the next start where its owner and its guardian were both killed', async () => {
    const { owner, uri, pid } = await startElsewhere();
    const temporary = await folderOf(uri);
    const guardian = guardianOf(pid);
    // Stopped, it cannot do what it does when only its guardian is killed.
    owner.kill('SIGSTOP');
    process.kill(guardian, 'SIGKILL');
    await until('the guardian is gone', () => !alive(guardian) || isZombie(guardian));
    owner.kill('SIGKILL');
    await until('its owner is gone', () => owner.signalCode !== null);
    expect(alive(pid)).to.equal(true);
    const lines: string[] = [];
    await start({ log: (line) => lines.push(line) });
    expect(lines).to.include(`ending mongod ${pid}, left behind by process ${owner.pid}`);
    await until('mongod is gone', () => !alive(pid)); // killed it is; its new parent reaps it in its own time
    expect(existsSync(temporary)).to.equal(false);
  });

  it('is ended by its owner where its guardian is killed', async () => {
    const server = await start();
    const pid = server.pid ?? 0;
    process.kill(guardianOf(pid), 'SIGKILL');
    await until('mongod is gone', () => !alive(pid));
    expect(server.pid).to.equal(null);
  });

  it('leaves the servers of others alone, and starts beside them', async () => {
    const [one, two, three] = await Promise.all([startElsewhere(), startElsewhere(), start()]);
    await Promise.all([one, two, three].map(({ uri }) => insert(uri)));
    expect(new Set([one.uri, two.uri, three.uri]).size).to.equal(3);
    expect(await Promise.all([one, two, three].map(({ uri }) => count(uri)))).to.deep.equal([1, 1, 1]);
  });

  function isZombie(pid: number): boolean {
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  }

  function guardianOf(pid: number): number {
    return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }));
  }

  function pidsOn(dataDir: string): number[] {
    const table = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' });
    return table
      .split('\n')
      .filter((line) => line.includes(`--dbpath ${dataDir}/`))
      .map((line) => Number.parseInt(line, 10));
  }
});

describe('a MongoDB that MONGODB_URI names', () => {
  const before = process.env['MONGODB_URI'];

  afterEach(() => {
    if (before === undefined) delete process.env['MONGODB_URI'];
    else process.env['MONGODB_URI'] = before;
  });

  it('is used as it is: nothing is started, and it is not ours to kill', async () => {
    process.env['MONGODB_URI'] = 'mongodb://db.example:27017/?replicaSet=main';
    const server = await startMongo();
    expect(server).to.include({ uri: 'mongodb://db.example:27017/?replicaSet=main', source: 'env', pid: null });
    await server.stop();
    const refusal = await server.kill().then(
      () => 'none',
      (error: Error) => error.message,
    );
    expect(refusal).to.match(/not ours to end/);
  });
});
