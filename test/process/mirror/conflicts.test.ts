/** Somebody else's open transaction is in the way of the write. */
import { expect } from 'chai';
import { lockDocument } from '../harness/mongodb/document-lock.ts';
import { refusal, useMirror } from './harness.ts';

describe('a mirror that finds a document held by another transaction', function () {
  this.timeout(90_000);
  const mirrors = useMirror();
  /** Well below what the database may be gone for, which once was the bound. */
  const soon = 25_000;
  const conflictTimeout = 300;
  let unlock: (() => Promise<void>) | null = null;

  afterEach(async () => {
    await unlock?.();
    unlock = null;
  });

  async function store(count: number): Promise<void> {
    const documents = Array.from({ length: count }, (_, _id) => ({ _id, v: 0 }));
    await mirrors.db.collection<{ _id: number }>('resources').insertMany(documents);
  }

  const feedOf = (count: number): object[] => Array.from({ length: count }, (_, id) => ({ id, v: 1 }));

  for (const [title, strategy, atomic, count] of [
    ['in one transaction', 'two-phase', 'auto', 10],
    ['in a transaction that is asked for', 'two-phase', true, 10],
    ['by a rename', 'swap', 'auto', 10],
    ['in batches, with one of them made', 'scan', false, 12_000],
  ] as const) {
    it(`gives up soon ${title}, and leaves everything as it was`, async () => {
      await store(count);
      const job = await mirrors.job(feedOf(count), { strategy, atomic, conflictTimeout, databaseTimeout: 60_000 });
      await mirrors.thread.prepare(job);
      unlock = await lockDocument(mirrors, count / 2);
      const startedAt = performance.now();
      const refused = await refusal(mirrors.thread.write(job.run, mirrors.nextEpoch()));
      expect(performance.now() - startedAt).to.be.within(conflictTimeout, conflictTimeout + soon);
      expect(refused).to.include({ code: 'run-failed', dirty: false });
      expect(refused.message).to.match(/sync\.conflict_timeout.*(Nothing was changed|was put back)\.$/);
      expect(await mirrors.db.collection('resources').distinct('v')).to.deep.equal([0]);
      expect(await mirrors.db.collection('resources').countDocuments()).to.equal(count);
    });
  }

  it('goes on where it is let go in time', async () => {
    await store(10);
    const job = await mirrors.job(feedOf(10), { conflictTimeout: 20_000 });
    await mirrors.thread.prepare(job);
    const release = await lockDocument(mirrors, 5);
    const written = mirrors.thread.write(job.run, mirrors.nextEpoch());
    setTimeout(() => void release(), 200);
    expect((await written).counts.updated).to.equal(10);
  });
});
