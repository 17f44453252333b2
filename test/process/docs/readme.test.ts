import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { Connection } from '../../../dev/cluster/connection.ts';
import { useClusters } from '../harness/clusters/clusters.ts';

describe('the app in the README', function () {
  this.timeout(60_000);
  const clusters = useClusters();
  let folder: string;

  beforeEach(async () => {
    const readme = await readFile('README.md', 'utf8');
    const [, code] = /```js\n(.*?)```/s.exec(readme) ?? [];
    if (code === undefined) throw new Error('the README shows no app');
    // Below the package, so that `quiesce` is found by its name.
    folder = await mkdtemp(join(process.cwd(), 'build', 'readme-'));
    await writeFile(join(folder, 'app.js'), code);
  });

  afterEach(async () => rm(folder, { recursive: true }));

  it('serves, mirrors and runs alone as it says', async () => {
    const cluster = await clusters.start({ script: join(folder, 'app.js') });
    const connection = new Connection(cluster.url);
    expect(await connection.request('/orders')).to.include({ status: 200, text: '[]' });
    const body = JSON.stringify([{ id: 'a', size: 1 }]);
    const headers = { 'Content-Type': 'application/json' };
    expect(await connection.request('/api/sync', { method: 'PUT', headers, body })).to.include({ status: 204 });
    const stored = await clusters.database.db.collection('resources').find().toArray();
    expect(stored).to.deep.equal([{ _id: 'a', size: 1 }]);
    expect(await connection.request('/api/reindex', { method: 'POST' })).to.include({
      status: 200,
      text: '{"alone":true}',
    });
    await connection.close();
  });
});
