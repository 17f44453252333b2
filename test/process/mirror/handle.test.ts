import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { MirrorThread } from '#quiesce/mirror/handle.js';
import { until } from '../harness/until.ts';
import { refusal, useMirror } from './harness.ts';

/** ms */
const linger = 100;

describe('the handle of the mirror thread', function () {
  this.timeout(30_000);
  const mirrors = useMirror();

  it('says whether the database is there, and what it knows of earlier epochs', async () => {
    const request = { uri: mirrors.uri, db: mirrors.name, timeout: 5000 };
    expect(await mirrors.thread.check(request)).to.deep.equal({ fenceEpoch: 0 });
    await mirrors.mirror([{ id: 1 }]);
    const job = await mirrors.job([{ id: 1 }]);
    await mirrors.thread.prepare(job);
    await mirrors.thread.write(job.run, 77);
    expect(await mirrors.thread.check(request)).to.deep.equal({ fenceEpoch: 77 });
    const nowhere = await refusal(mirrors.thread.check({ uri: 'mongodb://127.0.0.1:1/', timeout: 200 }));
    expect(nowhere.code).to.equal('database-unavailable');
  });

  it('says whether a run has ever written, though it took the fence, and keeps older epochs from writing after that', async () => {
    const [feed, epoch] = [[{ id: 1 }, { id: 2 }], 10];
    const refusedJob = await mirrors.job([{ id: 1 }], { strategy: 'scan', maxDeletes: 0 });
    await mirrors.mirror(feed);
    expect(await mirrors.thread.past(refusedJob, epoch)).to.deep.equal({ wrote: false, finished: null });
    expect((await refusal(mirrors.thread.prepare(refusedJob))).code).to.equal('too-many-deletes');
    expect(await mirrors.thread.past(refusedJob, epoch + 1)).to.deep.equal({ wrote: false, finished: null });

    const job = await mirrors.job([{ id: 1 }, { id: 3 }]);
    await mirrors.thread.prepare(job);
    const { counts } = await mirrors.thread.write(job.run, epoch + 2);
    for (const later of [3, 4]) {
      expect(await mirrors.thread.past(job, epoch + later)).to.deep.equal({ wrote: true, finished: counts });
    }
    const late = await mirrors.job(feed);
    await mirrors.thread.prepare(late);
    expect((await refusal(mirrors.thread.write(late.run, epoch + 3))).code).to.equal('fenced');
    expect((await refusal(mirrors.thread.past(late, epoch + 3))).code).to.equal('fenced');
  });

  it('outlives a thread that runs out of memory', async () => {
    const crashes: string[] = [];
    const thread = new MirrorThread({
      memoryLimitMb: 6,
      onProgress: () => {},
      log: { warn: (_fields, message) => crashes.push(message) },
    });
    for (let i = 1; i <= 2; i++) {
      const refused = await refusal(thread.check({ uri: mirrors.uri, timeout: 5000 }));
      expect(refused.code).to.equal('run-failed');
      expect(refused.message).to.contain('6 MB of memory');
      expect(crashes).to.have.lengthOf(i);
    }
    await thread.close();
  });

  it('forgets a run that is cancelled while it is prepared', async () => {
    const job = await mirrors.job(Array.from({ length: 300_000 }, (_, id) => ({ id })));
    const preparing = refusal(mirrors.thread.prepare(job));
    await mirrors.thread.cancel(job.run);
    expect((await preparing).message).to.equal('The run was cancelled.');
    expect((await refusal(mirrors.thread.write(job.run, 1))).code).to.equal('internal');
    await mirrors.thread.cancel('never seen');
  });

  it('puts back what was written where a run is cancelled while it is written', async () => {
    const before = Array.from({ length: 20_000 }, (_, id) => ({ id, v: 0 }));
    await mirrors.mirror(before);
    const feed = before.slice(1).map(({ id }) => ({ id, v: 1 }));
    const job = await mirrors.job([...feed, { id: 'new', v: 1 }], { atomic: false });
    await mirrors.thread.prepare(job);
    const writing = refusal(mirrors.thread.write(job.run, mirrors.nextEpoch()));
    await until('a part is written', () =>
      mirrors.progress.some(({ run, progress: { step, done } }) => run === job.run && step === 'write' && done > 0),
    );
    await mirrors.thread.cancel(job.run);
    const { message, dirty } = await writing;
    expect(message).to.equal('The run was cancelled. What had been written was put back.');
    expect(dirty).to.equal(false);
    expect(await mirrors.stored()).to.deep.equal(before.map(({ id, v }) => ({ _id: id, v })));
  });

  it('gives back what a thread holds that has had nothing to do for a while, and keeps a run that is prepared', async () => {
    await mirrors.thread.close(); // or its connections would count
    const thread = new MirrorThread({ linger, onProgress: () => {}, log: { warn: () => {} } });
    const job = await mirrors.job([{ id: 1 }]);
    await thread.prepare(job);
    await delay(3 * linger);
    expect(await connections()).to.be.at.least(1);
    expect((await thread.write(job.run, 1)).counts.inserted).to.equal(1);
    await until('its connections are closed', async () => (await connections()) === 0);
    await thread.check({ uri: mirrors.uri, timeout: 5000 }); // by another one
    await thread.close();
  });

  /** Of mirror threads, to the test's server. */
  async function connections(): Promise<number> {
    const all = { $currentOp: { allUsers: true, idleConnections: true } };
    const ours = { $match: { 'clientMetadata.application.name': 'quiesce-mirror' } };
    return (await mirrors.db.client.db('admin').aggregate([all, ours]).toArray()).length;
  }

  it('is closed with calls going on, and takes none afterwards', async () => {
    const preparing = refusal(mirrors.thread.prepare(await mirrors.job([{ id: 1 }])));
    await mirrors.thread.close();
    expect((await preparing).code).to.be.oneOf(['stopping', 'run-failed']);
    expect((await refusal(mirrors.thread.plan('x'))).code).to.equal('stopping');
  });
});
