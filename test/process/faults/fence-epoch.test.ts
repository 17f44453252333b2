/** The epoch of a write comes from the fence, and is on disk before it is used. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { useClusters } from '../harness/clusters/clusters.ts';
import { blockedAtFence, lockFence } from '../harness/mongodb/fence-lock.ts';
import { json, send } from '../harness/clients/lines.ts';
import { until } from '../harness/until.ts';

describe('the epoch of a write', function () {
  this.timeout(60_000);
  const clusters = useClusters();
  const fences = () => clusters.database.db.collection<{ _id: string; epoch: number }>('quiesce.fence');
  const epochNow = async (): Promise<number> => (await fences().findOne({ _id: 'resources' }))!.epoch;

  it('is above what the fence knows, however far that is ahead, and above what a primary has used that died of it', async () => {
    const cluster = await clusters.start({ instances: 1 });
    const put = (n: number): ReturnType<typeof send> =>
      send(`${cluster.url}/api/sync`, { method: 'PUT', headers: json, body: JSON.stringify([{ id: 'a', n }]) });
    expect((await put(0)).status).to.equal(204);

    // As a restored dump has it, or the collection of a data directory that is gone.
    await fences().updateOne({ _id: 'resources' }, { $set: { epoch: 1_000, run: 'of-another', owner: 'another' } });
    const { status, text } = await put(1);
    expect(status, text).to.equal(204);
    expect(await epochNow()).to.equal(1_001);

    const unlock = await lockFence(clusters.database);
    const lost = put(2).catch(() => null);
    await until('the run waits for the fence', () => blockedAtFence(clusters.database), { within: 10_000 });
    const [file] = await readdir(join(cluster.dataDir, 'journal'));
    const entry = JSON.parse(await readFile(join(cluster.dataDir, 'journal', file!), 'utf8')) as object;
    expect(entry).to.include({ state: 'writing', epoch: 1_002 });
    await cluster.kill();
    await lost;
    await unlock();
    cluster.launch();
    await cluster.until('it serves again', ({ phase, run }) => phase === 'serving' && run?.state === 'succeeded');
    expect(await epochNow()).to.be.greaterThan(1_002);
    expect(await clusters.database.db.collection('resources').find().toArray()).to.deep.equal([{ _id: 'a', n: 2 }]);
  });
});
