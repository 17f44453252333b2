/** What a primary left that died between the word that it writes and the first write. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { useClusters } from '../harness/clusters/clusters.ts';

describe('runs that were left unfinished', function () {
  this.timeout(60_000);
  const clusters = useClusters();

  it('end one after another before anything is served, and those that never wrote and cannot be written, or whose before has not run, end for good', async () => {
    await clusters.database.db.collection<{ _id: number }>('resources').insertMany([{ _id: 1 }, { _id: 2 }]);
    const { uri, name } = clusters.database;
    const cluster = await clusters.create({ quiesce: { mongodb: { uri, db: name }, sync: { max_deletes: 0 } } });
    await leave(cluster, '20260101t000000001-aaaaaa', '[{"id":1}]');
    await leave(cluster, '20260101t000000002-bbbbbb', null);
    await leave(cluster, '20260101t000000003-cccccc', '[{"id":1},{"id":2},{"id":3}]');
    await leave(cluster, '20260101t000000004-dddddd', '[]', { before: true });
    cluster.launch();
    await cluster.ready();
    await cluster.until('it serves', ({ phase }) => phase === 'serving');
    const runs = await cluster.control.runs(5);
    expect(runs.map(({ id, state, error }) => [id.slice(-6), state, error?.code])).to.deep.equal([
      ['dddddd', 'failed', 'run-failed'],
      ['cccccc', 'succeeded', undefined],
      ['bbbbbb', 'failed', 'run-failed'],
      ['aaaaaa', 'failed', 'too-many-deletes'],
    ]);
    expect(cluster.output.match(/the cluster is (draining|serving)/g)?.join()).to.match(
      /^(.* draining,){3}.* serving$/,
    );
    expect(runs[1]?.report?.timings.paused).to.be.above(0);
    expect(await clusters.database.db.collection('resources').countDocuments()).to.equal(3);
  });

  /** A feed that is about to be written; without a text its spool file is gone. */
  async function leave({ dataDir }: Cluster, run: string, text: string | null, more: object = {}): Promise<void> {
    for (const folder of ['journal', 'spool']) await mkdir(join(dataDir, folder), { recursive: true, mode: 0o700 });
    const path = join(dataDir, 'spool', `0-1-${run}.feed`);
    if (text !== null) await writeFile(path, text);
    const digest = createHash('sha256')
      .update(text ?? '')
      .digest('base64');
    const entry = {
      run,
      state: 'writing',
      startedAt: '2026-01-01T00:00:00.000Z',
      feed: { path, bytes: text?.length ?? 0, digest, format: 'json', coding: 'identity', uploadMs: 1 },
      mirror: { collection: 'resources', key: 'id', extendedJson: false },
      ...more,
    };
    await writeFile(join(dataDir, 'journal', `${run}.json`), JSON.stringify(entry));
  }
});
