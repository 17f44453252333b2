/** A mirror thread in an endless loop hears nothing: it is ended, and the next sync has another one. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import { problemIn } from '../harness/clients/lines.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { SyncClient } from '../harness/clients/sync-client.ts';
import { until } from '../harness/until.ts';

const fixture = new URL('../fixtures/preloads/stuck-thread.js', import.meta.url).href;

describe('a mirror thread in an endless loop', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'quiesce-stuck-'));
  const file = join(folder, 'stuck');
  after('its folder removed', () => rmSync(folder, { recursive: true }));
  const shared = useSharedCluster({
    instances: 1,
    quiesce: { sync: { run_timeout: '5s', database_timeout: '1s' } },
    primaryEnv: { NODE_OPTIONS: `--import=${fixture}`, STUCK_THREAD: file },
  });
  const client = new SyncClient(shared);
  const threads = async (): Promise<number> => (await readdir(`/proc/${shared.cluster.pid}/task`)).length;

  it('ends with its run at sync.run_timeout, and the next sync succeeds', async () => {
    expect((await client.put('[{"id":1}]')).status).to.equal(204);
    await writeFile(file, 'prepare');
    const reply = client.put('[{"id":1},{"id":2}]');
    await until('it is stuck', async () => (await readdir(folder)).length === 0);
    const before = await threads();
    const refused = await reply;
    expect(problemIn(refused), refused.text).to.include({ status: 500, code: 'run-timeout' });
    await until('the thread is gone', async () => (await threads()) < before);
    await shared.cluster.until('it serves', ({ phase }) => phase === 'serving');
    expect(await client.documents()).to.deep.equal([{ _id: 1 }]);
    expect((await client.put('[{"id":1},{"id":3}]')).status).to.equal(204);
    expect(await client.documents()).to.deep.equal([{ _id: 1 }, { _id: 3 }]);
    expect(shared.output).to.match(/could not be cancelled within \d+ ms: the mirror thread is ended/);
  });

  it('in the pause ends as well: the run is rolled forward by another thread, and the site serves', async () => {
    expect((await client.put('[{"id":1}]')).status).to.equal(204);
    await writeFile(file, 'write');
    expect((await client.put('[{"id":1},{"id":2}]')).status).to.equal(202);
    await shared.cluster.until('it serves', ({ phase }) => phase === 'serving');
    expect(await client.documents()).to.deep.equal([{ _id: 1 }, { _id: 2 }]);
    expect((await client.put('[{"id":3}]')).status).to.equal(204);
    expect(await client.documents()).to.deep.equal([{ _id: 3 }]);
    expect(shared.output).to.match(/could not be cancelled within \d+ ms: the mirror thread is ended/);
  });
});
