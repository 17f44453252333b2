/** transform, validate, before and after of `mirror()`, in a cluster. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Report } from '#quiesce/protocol/api/runs.js';
import { json, linesTo, problemIn, type Line, type Reply } from '../harness/clients/lines.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { until } from '../harness/until.ts';

const script = fileURLToPath(new URL('../fixtures/shop-app.js', import.meta.url));

describe('what an app does with a feed', function () {
  this.timeout(60_000);
  const shared = useSharedCluster({ script, instances: 2, quiesce: { sync: { run_timeout: '15s' } } });
  let line: Line;
  before(async () => ([line] = (await linesTo(shared.cluster.url, [1], '/served')) as [Line]));
  after(() => line?.close());

  const put = (feed: object, query = ''): Promise<Reply> =>
    line.send(`/api/sync${query}`, {
      method: 'PUT',
      headers: { ...json, Prefer: 'return=representation' },
      body: JSON.stringify(feed),
    });
  const stored = (): Promise<unknown[]> => shared.database.db.collection('resources').find().sort({ _id: 1 }).toArray();
  const told = async (): Promise<{ hook: string }[]> =>
    JSON.parse((await line.send('/told')).text) as { hook: string }[];
  const fail = (hook: string): Promise<Reply> => line.send(`/fail?hook=${hook}`, { method: 'POST' });

  /** The client has its answer before what is no longer needed has gone. */
  const isEmpty = (name: string): Promise<unknown> =>
    until(`nothing is left in ${name}`, () => readdirSync(join(shared.cluster.dataDir, name)).length === 0);

  it('stores what transform makes of it, and calls before and after in the pause, in the worker that got it', async () => {
    await told();
    const reply = await put([{ id: 'a', price: '2.50' }]);
    expect(reply.status, reply.text).to.equal(200);
    expect(await stored()).to.deep.equal([{ _id: 'a', price: 2.5 }]);
    const { id } = JSON.parse(reply.text) as Report;
    const counts = { inserted: 1, updated: 0, deleted: 0, unchanged: 0 };
    expect(await told()).to.deep.equal([
      { hook: 'before', run: id, collection: 'resources' },
      { hook: 'after', run: id, collection: 'resources', counts, keys: ['a'] },
    ]);
    expect((await put([{ id: 'a', price: '2.50' }])).status, 'the same again').to.equal(200);
    expect(await told(), 'nothing is written, and nothing paused').to.deep.equal([]);
    const wrapped = { page: { 'a/b': [{ id: 'a', price: '2.50' }] }, next: null };
    expect((await put(wrapped, '?items=/page/a~1b')).status, 'the same in an object').to.equal(200);
    const refused = problemIn(await put({ page: { 'a/b': [{ id: 7, price: '1' }] } }, '?items=/page/a~1b'));
    expect(refused['errors']).to.have.nested.property('[0].pointer', '/page/a~1b/0/id');
    await isEmpty('spool');
    const dry = await put([{ id: 'b', price: '1' }], '?dryRun=true');
    expect(JSON.parse(dry.text)).to.deep.include({ counts: { inserted: 1, updated: 0, deleted: 1, unchanged: 0 } });
    expect(await told()).to.deep.equal([]);
  });

  it('refuses what it cannot take before anything is paused, with a pointer for each', async () => {
    const { epoch } = await shared.cluster.status();
    const problem = problemIn(
      await put([
        { id: 'a', price: 1 },
        { id: 'b', price: 'none' },
        { id: 7, price: -1 },
      ]),
    );
    expect(problem).to.include({ status: 422, code: 'invalid-feed', errorCount: 3 });
    expect((problem['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)).to.deep.equal([
      '/1',
      '/2/id',
      '/2/price',
    ]);
    const stuck = problemIn(await put([{ id: 'a' }, { id: 'b', stuck: true }]));
    expect(stuck).to.include({ status: 500, code: 'run-timeout' });
    expect(stuck['detail']).to.include('It was at item 1.');
    expect((await shared.cluster.status()).epoch).to.equal(epoch);
    expect(await stored()).to.deep.equal([]);
    await isEmpty('spool');
    expect((await put([{ id: 'a', price: 1 }])).status, 'the next one').to.equal(200);
  });

  it('writes nothing where before fails, and keeps what is written where after does', async () => {
    await fail('before');
    const refused = problemIn(await put([{ id: 'a', price: 1 }]));
    expect(refused).to.include({ status: 500, code: 'run-failed' });
    expect(refused['detail']).to.equal('before of mirror() failed: before fails on purpose. Nothing was written.');
    expect(await stored()).to.deep.equal([]);
    await isEmpty('journal');
    await fail('after');
    const reply = await put([{ id: 'a', price: 1 }]);
    const report = JSON.parse(reply.text) as Report;
    expect([reply.status, report.state]).to.deep.equal([200, 'succeeded']);
    expect(report.afterError).to.include({
      code: 'run-failed',
      detail: 'after of mirror() failed: after fails on purpose. The mirror stays as it is.',
    });
    expect(await stored()).to.deep.equal([{ _id: 'a', price: 1 }]);
    await fail('');
  });
});
