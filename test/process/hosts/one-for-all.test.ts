import http from 'node:http';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ChangeStream } from 'mongodb';
import { startHosts, type Host } from '../harness/hosts/hosts.ts';
import { discard, newDatabase, type TestDatabase } from '../harness/mongodb/mongo.ts';
import { startReceiver, type Receiver } from '../harness/receiver.ts';
import { until } from '../harness/until.ts';

/** What a write has changed in the site document: all of `ticks`, one of them, or the time of one. */
function* winsIn(changed: Readonly<Record<string, unknown>>): Iterable<string> {
  for (const [path, value] of Object.entries(changed)) {
    const [, what, field] = /^ticks(?:\.([^.]+)(?:\.(at))?)?$/.exec(path) ?? [];
    if (what !== undefined && field !== undefined) yield `${what} ${String(value)}`;
    else if (what !== undefined) yield `${what} ${(value as { at: number }).at}`;
    else if (path === 'ticks')
      for (const [each, { at }] of Object.entries(value as Record<string, { at: number }>)) yield `${each} ${at}`;
  }
}

describe('what one host of several does for all', function () {
  this.timeout(240_000);
  let hosts: Host[] = [];
  let database: TestDatabase | undefined;
  let folder: string;
  let receiver: Receiver;
  let fetched = 0;
  let stream: ChangeStream;
  /** Each time that was won, as `what at`. */
  const wins = new Set<string>();
  const server = http.createServer((_request, response) => {
    fetched++;
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify([{ id: 1 }]));
  });

  before('two hosts with the same schedules and the same receiver', async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    receiver = await startReceiver();
    database = await newDatabase();
    stream = database.db.collection('quiesce.cluster').watch();
    stream.on('change', (change) => {
      if (change.operationType !== 'update') return;
      for (const win of winsIn(change.updateDescription.updatedFields ?? {})) wins.add(win);
    });
    folder = await mkdtemp(join(tmpdir(), 'quiesce-hosts-'));
    const { port } = server.address() as AddressInfo;
    hosts = await startHosts(['A', 'B'], {
      uri: database.uri,
      db: database.name,
      witness: join(folder, 'witness'),
      instances: 1,
      app: { cron_restart: '*/15 * * * * *' },
      quiesce: {
        sync: { source: { url: `http://127.0.0.1:${port}/feed`, cron: '*/2 * * * * *' } },
        notify: [{ url: receiver.url, events: ['hold-started', 'hold-ended'] }],
      },
    });
  });

  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const { name, cluster } of hosts) console.error(`--- ${name}\n${cluster.output}`);
  });

  after('they ended', async function () {
    this.timeout(60_000);
    await Promise.all(hosts.map((host) => host.close()));
    await stream.close();
    server.closeAllConnections();
    server.close();
    await receiver.close();
    await discard(database);
    await rm(folder, { recursive: true, force: true });
  });

  /** How many times of it have been won, since the hosts were started. */
  const won = (what: string): number => [...wins].filter((each) => each.startsWith(`${what} `)).length;

  const ordersOf = ({ cluster }: Host): { order: string; by?: string }[] => {
    const file = join(cluster.dataDir, 'orders.jsonl');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  };

  it('is a feed, fetched once for each time of its schedule', async () => {
    await until('it was fetched some times', () => fetched > 4, { within: 90_000 });
    const before = fetched;
    await until(`each of ${before} was won`, () => before <= won('source'));
  });

  it('is a reload of all hosts at a time of cron_restart', async () => {
    for (const { cluster } of hosts)
      await cluster.until(
        'it was reloaded',
        ({ workers }) => workers.some(({ incarnation }) => incarnation > 1),
        90_000,
      );
    const given = hosts.flatMap(ordersOf).filter(({ order, by }) => order === 'reload' && by === 'cron_restart').length;
    expect(given).to.be.above(0);
    await until(`each of ${given} was won`, () => given <= won('cron_restart'));
  });

  it('is a notice of a hold of all hosts', async () => {
    await hosts[0]!.cluster.control.maintenance({ on: true, reason: 'moving', wait: true });
    await hosts[1]!.cluster.control.maintenance({ on: false });
    for (const host of hosts) await host.serves();
    const events = (): string[] => receiver.received.map(({ body }) => (JSON.parse(body) as { event: string }).event);
    await until('both notices', () => events().includes('hold-started') && events().includes('hold-ended'));
    // Another host would send its own within a second.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(events().sort()).to.deep.equal(['hold-ended', 'hold-started']);
  });
});
