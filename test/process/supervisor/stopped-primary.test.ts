import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { useClusters } from '../harness/clusters/clusters.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
const json = { 'Content-Type': 'application/json' };

function feed(items: number, version: string): string {
  return JSON.stringify(Array.from({ length: items }, (_, id) => ({ id, version, text: 'x'.repeat(100) })));
}

describe('a primary that is stopped until its lock goes stale', function () {
  this.timeout(120_000);
  let restore = async (): Promise<unknown> => undefined;
  // Hooks run in the order in which they are written: this one still has the database.
  afterEach('the limit is as it was', () => restore());
  const clusters = useClusters();
  before('the limit of this server is ours to change', function () {
    if (process.env['MONGODB_URI'] !== undefined) this.skip();
  });

  it('finds out when it runs again, writes nothing more and ends; its successor has the collection to itself', async () => {
    const { db } = clusters.database;
    // The transaction of a stopped process stands in the way for as long as the server lets it: a minute by default.
    const limit = { setParameter: 1, transactionLifetimeLimitSeconds: 3 };
    const { was } = await db.admin().command(limit);
    restore = () => db.admin().command({ ...limit, transactionLifetimeLimitSeconds: was as number });
    const first = await clusters.start({ script: app });
    const lost = fetch(`${first.url}/api/sync`, { method: 'PUT', headers: json, body: feed(60_000, 'first') }).catch(
      () => null,
    );
    await until('the first run writes', async () => (await db.collection('resources').estimatedDocumentCount()) > 0, {
      within: 30_000,
      every: 1,
    });
    first.signal('SIGSTOP');
    const lock = join(first.dataDir, 'primary.lock');
    await until('its lock is stale', async () => Date.now() - (await stat(lock)).mtimeMs > 10_500, { within: 15_000 });

    // The workers of the first still hold its port: a successor on the same machine needs another.
    const second = await clusters.create({ script: app, quiesce: { data_dir: first.dataDir } });
    second.launch();
    await until(
      'the second serves',
      async () => {
        const status = await first.control.status().catch(() => null);
        return status?.pid === second.pid && status.workers.every(({ state }) => state === 'serving');
      },
      { within: 60_000, every: 100 },
    );
    const answer = await fetch(`${second.url}/api/sync?maxDeletes=100%`, {
      method: 'PUT',
      headers: json,
      body: feed(1_000, 'second'),
    });
    expect(answer.status, await answer.text()).to.equal(204);

    first.signal('SIGCONT');
    expect(await first.exited).to.deep.equal({ code: 1, signal: null });
    expect(first.output).to.match(/^quiesce: The lock of .* was lost/m);
    await lost;
    const found = await db
      .collection('resources')
      .aggregate([{ $group: { _id: '$version', count: { $sum: 1 } } }])
      .toArray();
    expect(found).to.deep.equal([{ _id: 'second', count: 1_000 }]);

    const runs = await first.control.runs(10);
    expect(runs.map(({ state }) => state)).to.deep.equal(['succeeded', 'succeeded']);
    expect(runs[1]?.notes?.join() ?? '', 'the run that the first could not finish').to.match(/primary ended/);
    expect((await first.control.status()).pid).to.equal(second.pid);
  });
});
